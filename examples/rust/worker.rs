//! A Worker in Rust without any crate: it counts what it is sent.
//!
//! index.js writes the request to memory that `allocate` gave and calls `handle`, which gives a place: there stand the
//! answer's status and length, four bytes each, and then its text.

use std::alloc::{alloc, dealloc, Layout};

/// Memory for a request. Whoever asked gives it to `handle`, which frees it.
#[no_mangle]
pub extern "C" fn allocate(length: usize) -> *mut u8 {
    unsafe { alloc(layout(length)) }
}

fn layout(length: usize) -> Layout {
    Layout::from_size_align(length.max(1), 1).expect("a request that fits into memory")
}

/// Answers a request: its method and its body stand at `input`, with a newline between them.
#[no_mangle]
pub extern "C" fn handle(input: *mut u8, length: usize) -> *const u8 {
    let request = unsafe { std::slice::from_raw_parts(input, length) }.to_vec();
    unsafe { dealloc(input, layout(length)) };
    let (status, text) = answer(&String::from_utf8_lossy(&request));
    let mut output = Vec::with_capacity(8 + text.len());
    output.extend((status as u32).to_le_bytes());
    output.extend((text.len() as u32).to_le_bytes());
    output.extend(text.as_bytes());
    Box::leak(output.into_boxed_slice()).as_ptr()
}

/// Frees an answer that `handle` gave.
#[no_mangle]
pub extern "C" fn release(output: *mut u8) {
    unsafe {
        let length = u32::from_le_bytes(*(output.add(4) as *const [u8; 4])) as usize + 8;
        drop(Box::from_raw(std::slice::from_raw_parts_mut(output, length)));
    }
}

fn answer(request: &str) -> (u16, String) {
    let (method, body) = request.split_once('\n').unwrap_or((request, ""));
    if method != "POST" {
        return (405, "POST a text, and Rust counts it.\n".to_string());
    }
    let words = body.split_whitespace().count();
    let longest = body.split_whitespace().max_by_key(|word| word.chars().count()).unwrap_or("");
    let letters = body.chars().filter(|letter| letter.is_alphabetic()).count();
    (200, format!("{words} words, {letters} letters; the longest is \"{longest}\".\n"))
}

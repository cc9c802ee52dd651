/// What is wrong, for the person at the terminal: printed as one line after "Error: ", with exit code 1.
struct CleanFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

// A Worker in C without a C library: it draws a picture of the Mandelbrot set in letters.
//
// index.js asks for a picture of some width and height, and takes its text out of the module's memory.

#define EXPORT(name) __attribute__((export_name(name)))

enum { LONGEST = 200, STEPS = 200 };

static char picture[LONGEST * (LONGEST + 1)];
static const char shades[] = " .:-=+*#%@";

/// Steps until the orbit of a point leaves the circle of radius 2.
static int steps(double x, double y) {
    double real = 0, imaginary = 0;
    int step = 0;
    while (step < STEPS && real * real + imaginary * imaginary <= 4) {
        double next = real * real - imaginary * imaginary + x;
        imaginary = 2 * real * imaginary + y;
        real = next;
        step++;
    }
    return step;
}

/// Where the picture stands.
EXPORT("picture") const char *picture_address(void) { return picture; }

/// Draws lines of letters with a newline behind each.
/// Returns the bytes of the picture; 0 if it would be too large.
EXPORT("draw") unsigned draw(unsigned width, unsigned height) {
    if (width == 0 || height == 0 || width > LONGEST || height > LONGEST) return 0;
    char *end = picture;
    for (unsigned row = 0; row < height; row++) {
        for (unsigned column = 0; column < width; column++) {
            int count = steps(-2.2 + 3.2 * column / width, -1.2 + 2.4 * row / height);
            *end++ = count == STEPS ? '@' : shades[count % (int)(sizeof shades - 2)];
        }
        *end++ = '\n';
    }
    return (unsigned)(end - picture);
}

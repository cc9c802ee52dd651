"""Line charts as SVG: a few series over one axis each."""
import math

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 400, 64, 16, 48, 56
COLOURS = ["#1f6feb", "#d1242f", "#1a7f37", "#9a6700"]


def _steps(low, high, is_log):
    if is_log:
        return [10.0 ** power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
    size = 10 ** math.floor(math.log10(high - low or 1))
    size *= next(factor for factor in (0.1, 0.2, 0.5, 1, 2, 5, 10) if (high - low) / (size * factor) <= 6)
    first = math.floor(low / size)
    return [size * step for step in range(first, math.ceil(high / size) + 1)]


def _axis(values, is_log, start, end):
    steps = _steps(min(values), max(values), is_log)
    place = math.log10 if is_log else float
    low, high = place(steps[0]), place(steps[-1])
    return steps, lambda value: start + (place(value) - low) / ((high - low) or 1) * (end - start)


def line_chart(title, x_title, y_title, series, log_x=False, log_y=False, dots=True):
    """`series`: {name: [(x, y), ...]}. With `log_y` all values must be positive. `dots` show each point."""
    points = [point for line in series.values() for point in line]
    lows = [] if log_y else [0.0]
    x_steps, x = _axis([point[0] for point in points], log_x, LEFT, WIDTH - RIGHT)
    y_steps, y = _axis([point[1] for point in points] + lows, log_y, HEIGHT - BOTTOM, TOP)
    text = 'font-family="sans-serif" fill="#1f2328"'
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="20" font-size="15" font-weight="bold" {text}>{title}</text>',
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" font-size="12" text-anchor="middle" {text}>'
        f'{x_title}</text>',
        f'<text x="14" y="{(TOP + HEIGHT - BOTTOM) / 2}" font-size="12" text-anchor="middle" {text} '
        f'transform="rotate(-90 14 {(TOP + HEIGHT - BOTTOM) / 2})">{y_title}</text>',
    ]
    for value in x_steps:
        out.append(f'<text x="{x(value):.1f}" y="{HEIGHT - BOTTOM + 18}" font-size="11" text-anchor="middle" {text}>'
                   f'{value:g}</text>')
    for value in y_steps:
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#d8dee4"/>')
        out.append(f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" font-size="11" text-anchor="end" {text}>{value:g}</text>')
    for number, (name, line) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in line)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if dots:
            out += [f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3" fill="{colour}"/>' for a, b in line]
        place = LEFT + number * min(300, (WIDTH - LEFT) // len(series))
        out.append(f'<rect x="{place}" y="30" width="10" height="10" fill="{colour}"/>')
        out.append(f'<text x="{place + 16}" y="39" font-size="12" {text}>{name}</text>')
    return "\n".join(out + ["</svg>"]) + "\n"

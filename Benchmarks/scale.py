"""What breaks first with more locations: reckoned from what Benchmarks/network measured with some."""
#: Of the one machine that all links end at: bytes a second of its uplink, MB of memory, open files of one process, and
#: cores that one process keeps busy: the control node's work for reports is spread over threads, so is NATS'.
UPLINK, MEMORY, FILES, CORES = 125e6, 16_000, 65_536, 4
#: Seconds that a deploy may take on the uplink alone.
PATIENCE = 1.0
SIZES = {"10 kB": "10 kB", "1 MB": "1 MB"}


def demands(measured, count):
    """{what: (how much, unit, its share of what there is)} for that many locations."""
    rest = measured["rest"]
    found = {}
    for name in SIZES:
        seconds = measured[name].get("bytes_out", 0) * count / UPLINK
        found[f"uplink of 1 Gbit/s, a deploy of {name}"] = (seconds, "s", seconds / PATIENCE)
    at_rest = (rest.get("bytes_out", 0) + rest.get("bytes_in", 0)) * count
    found["uplink at rest"] = (at_rest / 1e6, "MB/s", at_rest / UPLINK)
    for who in ["control", "nats"]:
        if f"{who}_mb" not in measured:
            continue
        title = {"control": "control node", "nats": "NATS server"}[who]
        cores = rest[f"{who}_cpu"] * count
        found[f"{title}, CPU at rest"] = (cores, "cores", cores / CORES)
        memory = max(0, measured[f"{who}_mb"]) * count
        found[f"{title}, memory"] = (memory, "MB", memory / MEMORY)
        files = max(0, measured[f"{who}_files"]) * count
        found[f"{title}, open files"] = (files, "", files / FILES)
    for name in SIZES:
        seconds = sum(measured[name].get(f"{who}_cpu", 0) for who in ["control", "nats"]) * count / CORES
        found[f"the hub's CPU, a deploy of {name}"] = (seconds, "s", seconds / PATIENCE)
    return found


def report(measured):
    """Two tables, as docs/scale.md has them."""
    rest = measured["rest"]
    each = [
        ("bytes from the hub, a deploy of 10 kB", measured["10 kB"].get("bytes_out"), "{:,.0f}"),
        ("bytes from the hub, a deploy of 1 MB", measured["1 MB"].get("bytes_out"), "{:,.0f}"),
        ("messages from the hub, a deploy of 10 kB", measured["10 kB"].get("messages_out"), "{:.1f}"),
        ("bytes from and to the hub at rest, a second", rest.get("bytes_out", 0) + rest.get("bytes_in", 0), "{:,.0f}"),
        ("CPU time of the NATS server at rest, ms a second", _ms(rest.get("nats_cpu")), "{:.2f}"),
        ("CPU time of the control node at rest, ms a second", _ms(rest["control_cpu"]), "{:.2f}"),
        ("CPU time of the location itself at rest, ms a second", _ms(rest["edges_cpu"]), "{:.2f}"),
        ("CPU time of the hub, a deploy of 10 kB, ms",
         _ms(sum(measured["10 kB"].get(f"{who}_cpu", 0) for who in ["control", "nats"])), "{:.2f}"),
        ("CPU time of the location itself, a deploy of 10 kB, ms", _ms(measured["10 kB"]["edges_cpu"]), "{:.2f}"),
        ("memory of the NATS server, kB", _ms(measured.get("nats_mb")), "{:,.0f}"),
        ("memory of the control node, kB", _ms(measured["control_mb"]), "{:,.0f}"),
        ("open files of the NATS server", measured.get("nats_files"), "{:.2f}"),
        ("open files of the control node", measured["control_files"], "{:.2f}"),
    ]
    lines = [f"| for each of {measured['locations']} locations | measured |", "|---|--:|"]
    lines += [f"| {what} | {form.format(value)} |" for what, value, form in each if value is not None]
    few, many = demands(measured, 1_000), demands(measured, 10_000)
    lines += ["", "| reckoned | 1,000 locations | 10,000 locations |", "|---|--:|--:|"]
    for what in few:
        cells = [f"{amount:,.3g} {unit}, {share:.0%}" for amount, unit, share in (few[what], many[what])]
        lines.append(f"| {what} | {cells[0]} | {cells[1]} |")
    first = max(many, key=lambda what: many[what][2])
    lines += ["", f"What breaks first is the {first}: {max(1, many[first][2] ** -1 * 10_000):,.0f} locations take all "
              f"of it. Percentages are of {CORES} cores, {MEMORY // 1_000} GB, {FILES:,} open files, 1 Gbit/s, and of "
              f"{PATIENCE:.0f} s for a deploy."]
    return "\n".join(lines) + "\n"


def _ms(value):
    return None if value is None else value * 1_000

"""What breaks first with more locations: reckoned from what Benchmarks/network measured with some."""
#: Of the one machine that all links end at: bytes a second of its uplink, MB of memory, open files of one process, and
#: cores that one process keeps busy: the control node's work for reports is spread over threads, so is NATS'.
UPLINK, MEMORY, FILES, CORES = 125e6, 16_000, 65_536, 4
#: Seconds that a deploy may take by one of these alone.
PATIENCE = 1.0
SIZES = {"10 kB": "10 kB", "1 MB": "1 MB"}


def deploys(measured, count):
    """{what: (how much, unit, its share of a second)} of a deploy: what is beyond that makes it late, and breaks
    nothing. The control node's part is nearly the same for any number of locations."""
    found = {}
    for name in SIZES:
        seconds = measured[name].get("bytes_out", 0) * count / UPLINK
        found[f"a deploy of {name}: uplink"] = (seconds, "s", seconds / PATIENCE)
        seconds = measured[name].get("nats_cpu", 0) * count / CORES
        found[f"a deploy of {name}: CPU of the NATS server"] = (seconds, "s", seconds / PATIENCE)
    return found


def standing(measured, count):
    """The same of what is needed all the time: beyond what there is, the hub breaks."""
    rest = measured["rest"]
    found = {}
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
    return found


def _amount(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


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
        ("CPU time of the NATS server, a deploy of 10 kB, ms", _ms(measured["10 kB"].get("nats_cpu")), "{:.2f}"),
        ("CPU time of the location itself, a deploy of 10 kB, ms", _ms(measured["10 kB"]["edges_cpu"]), "{:.2f}"),
        ("memory of the NATS server, kB", _ms(measured.get("nats_mb")), "{:,.0f}"),
        ("memory of the control node, kB", _ms(measured["control_mb"]), "{:,.0f}"),
        ("open files of the NATS server", measured.get("nats_files"), "{:.2f}"),
        ("open files of the control node", measured["control_files"], "{:.2f}"),
    ]
    lines = [f"| for each of {measured['locations']} locations | measured |", "|---|--:|"]
    lines += [f"| {what} | {form.format(value)} |" for what, value, form in each if value is not None]
    lines += ["", "| reckoned | 1,000 locations | 10,000 locations |", "|---|--:|--:|"]
    for reckon in [deploys, standing]:
        few, many = reckon(measured, 1_000), reckon(measured, 10_000)
        for what in few:
            cells = [f"{_amount(amount)} {unit} ({share:.0%})" for amount, unit, share in (few[what], many[what])]
            lines.append(f"| {what} | {cells[0]} | {cells[1]} |")
    late = max(deploys(measured, 10_000).items(), key=lambda entry: entry[1][2])
    first = max(standing(measured, 10_000).items(), key=lambda entry: entry[1][2])
    lines += ["", f"A deploy is late first by {late[0].split(': ')[1]} ({late[0].split(': ')[0]}): from "
              f"{PATIENCE / max(late[1][2], 1e-9) * 10_000:,.0f} locations on it takes more than {PATIENCE:.0f} s. What breaks "
              f"first is {first[0]}: {10_000 / max(first[1][2], 1e-9):,.0f} locations take all of it. Percentages are of {CORES} "
              f"cores, {MEMORY // 1_000} GB, {FILES:,} open files, 1 Gbit/s, and of {PATIENCE:.0f} s for a deploy."]
    return "\n".join(lines) + "\n"


def _ms(value):
    return None if value is None else value * 1_000

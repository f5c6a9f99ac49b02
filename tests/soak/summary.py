"""One page of what happened."""
import statistics
from collections import defaultdict

told = []


def write(file, title, place, sampler, clients_cpu, mock_cpu):
    samples = sampler.samples
    span = samples[-1].seconds - samples[0].seconds
    requests = sum(place.tally.counts.values())
    lines = [f"{title}: {span:.0f} s, {requests} requests and the like, {len(place.journal.answers) + len(place.booked) + sum(place.talks.values())} "
             f"answers to be found in the ledger, {len(place.journal.calls)} movements of money"]
    by_kind = defaultdict(list)
    for (kind, status), count in sorted(place.tally.counts.items()):
        by_kind[kind].append(f"{count}" if status in ("-", "200", "whole") else f"{count} × {status}")
    lines += [f"  {kind}: {', '.join(counts)}" for kind, counts in by_kind.items()]
    for name, unit, scale in (("rss_kib", "MiB", 1024), ("fds", "", 1), ("threads", "", 1), ("mock_rss_kib", "MiB", 1024), ("mock_fds", "", 1),
                              ("database_kib", "MiB", 1024), ("wal_kib", "MiB", 1024)):
        quarters = ", ".join(f"{value / scale:.1f}" for value in sampler.quarters(name))
        most = max(getattr(each, name) for each in samples) / scale
        lines.append(f"{name.removesuffix('_kib')}, median of each quarter: {quarters} {unit}; at most {most:.1f}".replace(" ;", ";"))
    connections = [each.metrics["proxyxai_client_connections"] for each in samples]
    cpu = samples[-1].cpu - samples[0].cpu
    lines.append(f"client connections: median {statistics.median(connections):.0f}, at most {max(connections):.0f}")
    lines.append(f"processor: daemon {cpu:.0f} s ({100 * cpu / span:.0f} % of a core), clients {clients_cpu:.0f} s, mock {mock_cpu:.0f} s")
    lines += [f"FAULT {fault}" for fault in place.tally.faults[:20]]
    told.extend(lines)
    file.write_text("\n".join(lines) + "\n")

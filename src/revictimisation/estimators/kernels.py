"""The compiled inner loops of the Cox model: sums per day over those who enter and leave.

Words used here. A *slot* is an event day within a stratum; every stratum has one empty slot first.
`low`, `high`: an episode (start, stop] is at risk in the slots low < slot <= high, so what it adds
to those at risk is +r at `high` and -r at `low`, summed from the last slot backwards. `r` is
weight x exp(x'b). All loops are serial: the result can't depend on the number of threads.

With d tied events of total weight W in a slot, S0 and S1 the sums of r and r x over those at risk,
D0 and D1 over the events, Efron's method takes f = 0, 1/d, ... (d-1)/d and

    h_f = (W/d) / (S0 - f D0)      mean_f = (S1 - f D1) / (S0 - f D0)

(Efron 1977; Therneau & Grambsch 2000, section 3.3). All that is needed collapses to five numbers
per slot: h = sum h_f, rho = sum f h_f, and q0, q1, q2 = sum (1, f, f^2) h_f / (S0 - f D0).
"""

from __future__ import annotations

import numpy as np

from revictimisation.core.compiled import kernel


@kernel
def fill_risks(  # type: ignore[no-untyped-def]
    eta_base, beta_own, own, rows, weight, is_event, high, r, d0
):
    """Write r of each episode and the sums d0 of r over events; return the events' sum of w x'b."""
    pointers, indices, values = own
    linear = 0.0
    for i in range(rows.shape[0]):
        eta = eta_base[rows[i]]
        for c in range(pointers[i], pointers[i + 1]):
            eta += values[c] * beta_own[indices[c]]
        r[i] = weight[i] * np.exp(eta)
        if is_event[i]:
            d0[high[i]] += r[i]
            linear += weight[i] * eta
    return linear


@kernel
def _add_cells(target, amount, block, row, shift):  # type: ignore[no-untyped-def]
    pointers, indices, values = block
    for c in range(pointers[row], pointers[row + 1]):
        target[indices[c] + shift] += amount * values[c]


@kernel
def sum_moments(  # type: ignore[no-untyped-def]
    rows, low, high, r, is_event, is_empty, base, own, shift, s0, s1, d1
):
    """Add to s0, s1 what each episode brings at its ends, and to d1 the events' sums of r x.

    Of two episodes of one person that meet in a slot only the change in r is written for the
    person's own columns: half the work where episodes are in order. `is_empty` marks the slots
    that only stand before the first event day of their stratum.
    """
    person, slot, before, none = np.int64(-1), np.int64(-1), 0.0, np.int64(0)
    for i in range(rows.shape[0]):
        if low[i] == high[i]:
            continue
        if rows[i] != person or low[i] != slot:
            if person >= 0:
                s0[slot] += before
                _add_cells(s1[slot], before, base, person, none)
            before = 0.0
        if not is_empty[low[i]]:
            s0[low[i]] += before - r[i]
            _add_cells(s1[low[i]], before - r[i], base, np.int64(rows[i]), none)
            _add_cells(s1[low[i]], -r[i], own, i, shift)
        _add_cells(s1[high[i]], r[i], own, i, shift)
        person, slot, before = rows[i], high[i], r[i]
        if is_event[i]:
            _add_cells(d1[high[i]], r[i], base, np.int64(rows[i]), none)
            _add_cells(d1[high[i]], r[i], own, i, shift)
    if person >= 0:
        s0[slot] += before
        _add_cells(s1[slot], before, base, person, none)


@kernel
def cumulate_backwards(first, s1):  # type: ignore[no-untyped-def]
    """Turn what comes and goes in each slot into sums over those at risk, by stratum, in place."""
    for s in range(first.shape[0] - 1):
        for j in range(first[s + 1] - 2, first[s], -1):
            for k in range(s1.shape[1]):
                s1[j, k] += s1[j + 1, k]


@kernel
def _excess_of(i, low, high, r, weight, is_event, hazard, rho):  # type: ignore[no-untyped-def]
    """An episode's event less its expected ones: r (C(high) - C(low)) less Efron's correction."""
    cumulated = hazard[high[i]] - hazard[low[i]]
    if is_event[i]:
        return weight[i] - r[i] * (cumulated - rho[high[i]])
    return -r[i] * cumulated


@kernel
def cross_products(  # type: ignore[no-untyped-def]
    rows, low, high, r, weight, is_event, hazard, rho, base, own, shift, info, score
):
    """Add sum expected x x' to info's upper triangle and sum (w event - expected) x to score."""
    n_base = base[0].shape[0] - 1
    held, excess = np.zeros(n_base), np.zeros(n_base)
    pointers, indices, values = own
    for i in range(rows.shape[0]):
        if low[i] == high[i]:
            continue
        gap = _excess_of(i, low, high, r, weight, is_event, hazard, rho)
        expected = weight[i] * is_event[i] - gap
        held[rows[i]] += expected
        excess[rows[i]] += gap
        for c in range(pointers[i], pointers[i + 1]):
            k = indices[c] + shift
            score[k] += gap * values[c]
            amount = expected * values[c]
            for e in range(base[0][rows[i]], base[0][rows[i] + 1]):
                info[base[1][e], k] += amount * base[2][e]
            for e in range(c, pointers[i + 1]):
                info[k, indices[e] + shift] += amount * values[e]
    pointers, indices, values = base
    for i in range(n_base):
        for c in range(pointers[i], pointers[i + 1]):
            k = indices[c]
            score[k] += excess[i] * values[c]
            amount = held[i] * values[c]
            for e in range(c, pointers[i + 1]):
                info[k, indices[e]] += amount * values[e]


@kernel
def subtract_means(s1, d1, table, info):  # type: ignore[no-untyped-def]
    """Subtract the products of the slots' means from the upper triangle of info."""
    for j in range(s1.shape[0]):
        if table[j, 2] == 0.0:
            continue
        for k in range(s1.shape[1]):
            with_s = table[j, 2] * s1[j, k] - table[j, 3] * d1[j, k]
            with_d = table[j, 4] * d1[j, k] - table[j, 3] * s1[j, k]
            for m in range(k, s1.shape[1]):
                info[k, m] -= with_s * s1[j, m] + with_d * d1[j, m]


@kernel
def _add_scaled(target, amount, table, slot):  # type: ignore[no-untyped-def]
    for k in range(target.shape[0]):
        target[k] += amount * table[slot, k]


@kernel
def _add_squares(block, total):  # type: ignore[no-untyped-def]
    """Add the block's sum of u u' over its rows (a multiple of four) to total; empty the block."""
    for b in range(0, block.shape[0], 4):
        for k in range(block.shape[1]):
            w0, w1, w2, w3 = block[b, k], block[b + 1, k], block[b + 2, k], block[b + 3, k]
            for m in range(block.shape[1]):
                total[k, m] += (w0 * block[b, m] + w1 * block[b + 1, m]) + (
                    w2 * block[b + 2, m] + w3 * block[b + 3, m]
                )
    block[:] = 0.0


@kernel
def sum_score_squares(  # type: ignore[no-untyped-def]
    order, cluster, rows, low, high, r, weight, is_event, hazard, rho, base, own, shift, slots
):
    """Sum over clusters of u u', u the cluster's summed weighted score residuals (Lin & Wei 1989).

    `order` brings episodes of a cluster together (empty: they are). `slots` holds three tables by
    slot and column: C-weighted mean covariates cumulated, their Efron correction, and the mean
    covariates of the tied events. Where episodes of a cluster meet, only the change in r counts.
    Returns the sum and the number of clusters.
    """
    means, correction, at_event = slots
    total = np.zeros((means.shape[1], means.shape[1]))
    block = np.zeros((32, means.shape[1]))
    place, n_clusters, label, none = -1, 0, -1, np.int64(0)
    person, gaps, slot, before = np.int64(0), 0.0, np.int64(0), 0.0
    for position in range(rows.shape[0]):
        i = order[position] if order.shape[0] else position
        if cluster[i] != label or n_clusters == 0:
            if n_clusters > 0:
                _add_cells(block[place], gaps, base, person, none)
                _add_scaled(block[place], before, means, slot)
            place += 1
            if place == block.shape[0]:
                _add_squares(block, total)
                place = 0
            n_clusters += 1
            label, person, gaps, slot, before = cluster[i], rows[i], 0.0, low[i], 0.0
        if low[i] == high[i]:
            continue
        target = block[place]
        if rows[i] != person:
            _add_cells(target, gaps, base, person, none)
            person, gaps = rows[i], 0.0
        if low[i] != slot:
            _add_scaled(target, before, means, slot)
            before = 0.0
        if before != r[i]:
            _add_scaled(target, before - r[i], means, low[i])
        gap = _excess_of(i, low, high, r, weight, is_event, hazard, rho)
        _add_cells(target, gap, own, i, shift)
        gaps, slot, before = gaps + gap, high[i], r[i]
        if is_event[i]:
            _add_scaled(target, -weight[i], at_event, high[i])
            _add_scaled(target, -r[i], correction, high[i])
    _add_cells(block[place], gaps, base, person, none)
    _add_scaled(block[place], before, means, slot)
    _add_squares(block, total)
    return total, n_clusters

"""The ways of NumPy and SciPy to state each workload; forms(workload, inputs) yields (name, group, run), run() -> {name: array}."""

import numpy as np
import scipy


def versions():
    return {"numpy": np.__version__, "scipy": scipy.__version__}


def forms(workload, inputs):
    kind = workload["kind"]
    if kind == "contract":
        return contraction(workload, inputs)
    if kind == "grid":
        return grid(workload, inputs)
    if kind in ("rank", "ttsvd"):
        # It takes the grid from here.
        import forms_numpy_analysis as analysis

        return analysis.rank(workload, inputs) if kind == "rank" else analysis.trains(workload, inputs["H"])
    return maxplus(inputs)


def contraction(workload, t):
    a, h, G = t["a"], t["h"], t["G"]
    (B, L), R, K = a.shape, h.shape[1], G.shape[2]
    flat = G.reshape(L * R, K)
    X = np.empty((B, L, R), dtype=a.dtype)
    Y = np.empty_like(X)
    out = np.empty((B, K), dtype=a.dtype)

    def mm(joined):
        return {"out": np.matmul(joined.reshape(B, L * R), flat, out=out)}

    def pair(x, y):
        return x[:, :, None], y[:, None, :]

    xi = workload["xi"]
    if xi == "rectifier":
        yield "maximum with 0 of a and h, maximum, matmul, out=", "best", lambda: mm(
            np.maximum(*pair(np.maximum(a, 0), np.maximum(h, 0)), out=X))
        yield "maximum, maximum with 0, matmul", "best", lambda: mm(np.maximum(np.maximum(*pair(a, h)), 0))
        yield "maximum, tensordot", "best", lambda: {
            "out": np.tensordot(np.maximum(*pair(np.maximum(a, 0), np.maximum(h, 0))), G, 2)}
    elif xi == "product":
        yield "multiply, matmul, out=", "best", lambda: mm(np.multiply(*pair(a, h), out=X))
        yield "einsum of all three, optimize", "best", lambda: {
            "out": np.einsum("bi,bj,ijk->bk", a, h, G, optimize=True)}
    elif xi == "logsumexp":
        yield "logaddexp, matmul, out=", "best", lambda: mm(np.logaddexp(*pair(a, h), out=X))

        def by_parts():
            np.subtract(*pair(a, h), out=Y)
            np.abs(Y, out=Y)
            np.negative(Y, out=Y)
            np.exp(Y, out=Y)
            np.log1p(Y, out=Y)
            np.maximum(*pair(a, h), out=X)
            return mm(np.add(X, Y, out=X))

        yield "maximum + log1p(exp(-|a - h|)), matmul, out=", "best", by_parts
        yield "log(exp a + exp h), matmul, out= (overflows)", "overflows", lambda: mm(
            np.log(np.add(*pair(np.exp(a), np.exp(h)), out=X), out=X))
    elif xi == "l2":
        yield "hypot, matmul, out=", "best", lambda: mm(np.hypot(*pair(a, h), out=X))
        yield "sqrt(a*a + h*h), matmul, out= (overflows)", "overflows", lambda: mm(
            np.sqrt(np.add(*pair(a * a, h * h), out=X), out=X))


def grid_in_blocks(M, templates, cores, rows):
    """Scores of all sequences, the first template slowest; `templates` are max(a_t, 0) of each step."""
    h = np.zeros((1, 1))
    for a, G in zip(templates, cores):
        L, R, K = G.shape
        h = np.maximum(h, 0)
        size = max(1, min(rows // M, h.shape[0]))
        out = np.empty((h.shape[0] * M, K))
        joined = np.empty((size, M, L, R))
        for first in range(0, h.shape[0], size):
            part = h[first:first + size]
            into = joined[:part.shape[0]]
            np.maximum(a[None, :, :, None], part[:, None, None, :], out=into)
            np.matmul(into.reshape(-1, L * R), G.reshape(L * R, K),
                      out=out[first * M:(first + part.shape[0]) * M])
        h = out
    return h.reshape(-1)


def grid(workload, t):
    M, T = workload["M"], workload["T"]
    templates = [np.maximum(t["a"], 0)] * T
    cores = [t[f"G{n}"] for n in range(T)]

    def blocks(rows):
        return lambda: {"out": grid_in_blocks(M, templates, cores, rows)}

    yield "maximum, matmul, blocks of 500 rows, out=", "best", blocks(500)
    yield "maximum, matmul, blocks of 2000 rows, out=", "best", blocks(2000)
    if M ** T * cores[1].shape[0] * cores[1].shape[1] * 8 < 2e9:
        yield "maximum, matmul, all rows at once", "best", blocks(M ** T)


def maxplus(t):
    A, B = t["A"], t["B"]
    n = A.shape[0]
    C = np.empty_like(A)
    terms = np.empty_like(B)

    def rows():
        for i in range(n):
            np.max(np.add(A[i, :, None], B, out=terms), axis=0, out=C[i])
        return {"out": C}

    def tiles(size):
        tile = np.empty((size, n), dtype=A.dtype)

        def run():
            C.fill(-np.inf)
            for first in range(0, n, size):
                part, into = A[first:first + size], C[first:first + size]
                for k in range(n):
                    np.add(part[:, k, None], B[k], out=tile)
                    np.maximum(into, tile, out=into)
            return {"out": C}

        return run

    yield "for each i: max of A[i] + B, out=", "best", rows
    yield "for each k: maximum of C and A[:, k] + B[k], out=", "best", tiles(n)
    yield "for 64 rows and each k: maximum of C and A + B[k], out=", "best", tiles(64)

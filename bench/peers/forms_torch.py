"""PyTorch's ways to state each workload; forms(workload, inputs) yields (name, group, run), run() -> {name: array}.

max(x, y, 0) is max(max(x, 0), max(y, 0)): with the small operands cut off at 0 beforehand, one pass over B·L·R is saved.
"""

import torch

import forms_torch_models as models

torch.set_num_threads(1)


def versions():
    return {"torch": torch.__version__}


def forms(workload, inputs):
    tensors = {name: torch.from_numpy(value) for name, value in inputs.items()}
    kind = workload["kind"]
    if kind == "contract":
        return contraction(workload, tensors)
    if kind == "gradients":
        return gradients(tensors)
    if kind == "grid":
        return grid(workload, tensors)
    if kind == "train":
        return models.training(workload, tensors)
    if kind == "score":
        return models.scoring(workload, tensors)
    return maxplus(tensors)


def contraction(workload, t):
    a, h, G = t["a"], t["h"], t["G"]
    (B, L), R, K = a.shape, h.shape[1], G.shape[2]
    flat = G.reshape(L * R, K).contiguous()
    X = torch.empty(B, L, R, dtype=a.dtype)
    Y = torch.empty_like(X)
    out = torch.empty(B, K, dtype=a.dtype)

    def mm(joined):
        return {"out": torch.mm(joined.view(B, L * R), flat)}

    def mm_out(joined):
        return {"out": torch.mm(joined.view(B, L * R), flat, out=out)}

    def pair(x, y):
        return x[:, :, None], y[:, None, :]

    xi = workload["xi"]
    if xi == "rectifier":
        yield "relu of a and h, maximum, mm", "best", lambda: mm(torch.maximum(*pair(a.relu(), h.relu())))
        yield "relu of a and h, maximum, mm, out=", "best", lambda: mm_out(
            torch.maximum(*pair(a.relu(), h.relu()), out=X))
        yield "relu of a and h, maximum, einsum", "best", lambda: {
            "out": torch.einsum("bij,ijk->bk", torch.maximum(*pair(a.relu(), h.relu())), G)}
        yield "maximum, relu_, mm", "best", lambda: mm(torch.maximum(*pair(a, h)).relu_())

        @torch.jit.script
        def scripted(a, h, flat):
            joined = torch.maximum(a.relu().unsqueeze(2), h.relu().unsqueeze(1))
            return torch.mm(joined.view(a.size(0), -1), flat)

        yield "jit.script of the first", "best", lambda: {"out": scripted(a, h, flat)}
    elif xi == "product":
        wide = G.reshape(L, R * K)
        yield "mul, mm", "best", lambda: mm(torch.mul(*pair(a, h)))
        yield "mul, mm, out=", "best", lambda: mm_out(torch.mul(*pair(a, h), out=X))
        yield "einsum of all three", "best", lambda: {"out": torch.einsum("bi,bj,ijk->bk", a, h, G)}
        yield "mm with a, bmm with h", "best", lambda: {
            "out": torch.bmm(h[:, None, :], torch.mm(a, wide).view(B, R, K))[:, 0]}
    elif xi == "logsumexp":
        yield "logaddexp, mm", "best", lambda: mm(torch.logaddexp(*pair(a, h)))
        yield "logaddexp, mm, out=", "best", lambda: mm_out(torch.logaddexp(*pair(a, h), out=X))

        def by_parts():
            torch.sub(*pair(a, h), out=Y)
            Y.abs_().neg_().exp_().log1p_()
            torch.maximum(*pair(a, h), out=X)
            return mm_out(X.add_(Y))

        yield "maximum + log1p(exp(-|a - h|)), mm, out=", "best", by_parts
        yield "log(exp a + exp h), mm, out= (overflows)", "overflows", lambda: mm_out(
            torch.add(*pair(a.exp(), h.exp()), out=X).log_())
    elif xi == "l2":
        yield "hypot, mm", "best", lambda: mm(torch.hypot(*pair(a, h)))
        yield "hypot, mm, out=", "best", lambda: mm_out(torch.hypot(*pair(a, h), out=X))
        yield "sqrt(a*a + h*h), mm, out= (overflows)", "overflows", lambda: mm_out(torch.add(*pair(a * a, h * h), out=X).sqrt_())


def gradients(t):
    a, h, G, dout = t["a"], t["h"], t["G"], t["dout"]
    (B, L), R, K = a.shape, h.shape[1], G.shape[2]
    leaves = [x.clone().requires_grad_() for x in (a, h, G)]

    def forward(x, y, g):
        return torch.mm(torch.maximum(x.relu()[:, :, None], y.relu()[:, None, :]).view(B, -1), g.view(L * R, K))

    def forward_late(x, y, g):
        return torch.mm(torch.maximum(x[:, :, None], y[:, None, :]).relu().view(B, -1), g.view(L * R, K))

    def autograd(function):
        def run():
            out = function(*leaves)
            da, dh, dG = torch.autograd.grad(out, leaves, dout)
            return {"out": out.detach(), "da": da, "dh": dh, "dG": dG}

        return run

    yield "autograd of relu, maximum, mm", "best", autograd(forward)
    yield "autograd of maximum, relu, mm", "best", autograd(forward_late)

    yield "autograd with a Function for the rectifier", "best", autograd(
        lambda x, y, g: torch.mm(models.Joined.apply(x, y).view(B, -1), g.view(L * R, K)))

    flat = G.view(L * R, K)
    X = torch.empty(B, L, R, dtype=a.dtype)
    dX = torch.empty_like(X)

    def manual():
        x, y = a.relu(), h.relu()
        torch.maximum(x[:, :, None], y[:, None, :], out=X)
        rows = X.view(B, -1)
        out = torch.mm(rows, flat)
        dG = torch.mm(rows.t(), dout).view(L, R, K)
        torch.mm(dout, flat.t(), out=dX.view(B, -1))
        total = dX.sum(1)
        dX.mul_(a[:, :, None] > y[:, None, :])
        return {"out": out, "da": dX.sum(2).mul_(a > 0), "dh": (total - dX.sum(1)).mul_(h > 0), "dG": dG}

    yield "backward by hand, no autograd, out=", "by hand", manual


def grid(workload, t):
    M, T = workload["M"], workload["T"]
    a = t["a"].relu()
    cores = [t[f"G{n}"] for n in range(T)]

    def steps(join):
        def run():
            h = torch.zeros(1, 1, dtype=a.dtype)
            for G in cores:
                h = join(h.relu(), G)
            return {"out": h.reshape(-1)}

        return run

    def whole(h, G):
        L, R, K = G.shape
        joined = torch.maximum(a[None, :, :, None], h[:, None, None, :])
        return torch.mm(joined.view(-1, L * R), G.view(L * R, K))

    def whole_einsum(h, G):
        joined = torch.maximum(a[None, :, :, None], h[:, None, None, :])
        return torch.einsum("pmij,ijk->pmk", joined, G).reshape(-1, G.shape[2])

    def blocks(rows):
        def join(h, G):
            L, R, K = G.shape
            size = max(1, rows // M)
            out = torch.empty(h.shape[0] * M, K, dtype=a.dtype)
            joined = torch.empty(min(size, h.shape[0]), M, L, R, dtype=a.dtype)
            for first in range(0, h.shape[0], size):
                part = h[first:first + size]
                into = joined[:part.shape[0]]
                torch.maximum(a[None, :, :, None], part[:, None, None, :], out=into)
                torch.mm(into.view(-1, L * R), G.view(L * R, K), out=out[first * M:(first + part.shape[0]) * M])
            return out

        return join

    yield "maximum, mm, blocks of 500 rows, out=", "best", steps(blocks(500))
    yield "maximum, mm, blocks of 2000 rows, out=", "best", steps(blocks(2000))
    # Gigabytes of max(a, h) for the larger grids.
    if M ** T * cores[1].shape[0] * cores[1].shape[1] * 8 < 2e9:
        yield "maximum, mm, all rows at once", "best", steps(whole)
        yield "maximum, einsum, all rows at once", "best", steps(whole_einsum)


def maxplus(t):
    A, B = t["A"], t["B"]
    n = A.shape[0]
    C = torch.empty_like(A)
    terms = torch.empty(n, n, dtype=A.dtype)

    def rows():
        for i in range(n):
            torch.amax(torch.add(A[i, :, None], B, out=terms), 0, out=C[i])
        return {"out": C}

    def ranks():
        C.fill_(float("-inf"))
        for k in range(n):
            torch.add(A[:, k, None], B[k], out=terms)
            torch.maximum(C, terms, out=C)
        return {"out": C}

    tile = torch.empty(64, n, dtype=A.dtype)

    def tiles():
        C.fill_(float("-inf"))
        for first in range(0, n, 64):
            part, into = A[first:first + 64], C[first:first + 64]
            for k in range(n):
                torch.add(part[:, k, None], B[k], out=tile)
                torch.maximum(into, tile, out=into)
        return {"out": C}

    yield "for each i: amax of A[i] + B, out=", "best", rows
    yield "for each k: maximum of C and A[:, k] + B[k], out=", "best", ranks
    yield "for 64 rows and each k: maximum of C and A + B[k], out=", "best", tiles

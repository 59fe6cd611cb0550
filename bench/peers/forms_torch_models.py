"""PyTorch's ways to train and to score a rectifier network; forms(workload, inputs) yields (name, group, run).

A TT and a tree are the same thing: leaves, linear in the features, joined two by two. The shallow network is its own.
Every run of a training is one step; run.outputs() are the losses of its first steps from the start.
"""

import math

import torch
import torch.nn.functional as functional

BETAS, EPSILON = (0.9, 0.999), 1e-8
JUDGED_STEPS = 3


class Network:
    """Parameters from `inputs`, a dictionary by name, and the order in which values are joined."""

    def __init__(self, model, inputs):
        self.kind, self.T = model["kind"], model["steps"]
        self.X, self.rates = inputs["X"], inputs["rates"].tolist()
        self.labels = inputs["labels"].long()
        self.start = {name: value for name, value in inputs.items() if name not in ("X", "labels", "rates")}
        T = self.T
        # (left, right, weights); values 0 … T − 1 are the leaves, T is the state before the first step of a TT.
        if self.kind == "tt":
            self.leaves = [f"C.{t}" for t in range(T)]
            self.nodes = [(t, T + t, f"G.{t}") for t in range(T)]
        elif self.kind == "ht":
            self.leaves = [f"W.{t}" for t in range(T)]
            self.nodes, level, below = [], 1, list(range(T))
            next_value = T
            while len(below) > 1:
                above = []
                for n in range(0, len(below), 2):
                    self.nodes.append((below[n], below[n + 1], f"B.{level}.{n // 2}"))
                    above.append(next_value)
                    next_value += 1
                level, below = level + 1, above

    def fresh(self):
        """All parameters in one block, and views of it by name."""
        flat = torch.cat([value.reshape(-1) for value in self.start.values()])
        return flat, views(flat, self.start)

    def features(self, p):
        B, T, N = self.X.shape
        rows = torch.addmm(p["features.b"], self.X.view(B * T, N), p["features.A"].t())
        return rows.relu_().view(B, T, -1)

    def scores(self, p, join):
        F = self.features(p)
        if self.kind == "cp":
            z = torch.bmm(F.transpose(0, 1), p["v"].transpose(1, 2))
            return torch.mm(z.amax(0).relu(), p["lambda"])
        values = [torch.mm(F[:, t], p[name].t()) for t, name in enumerate(self.leaves)]
        if self.kind == "tt":
            values.append(torch.zeros(F.shape[0], 1, dtype=F.dtype))
        for left, right, name in self.nodes:
            G = p[name]
            values.append(torch.mm(join(values[left], values[right]).view(F.shape[0], -1), G.view(-1, G.shape[2])))
        return values[-1]


def views(flat, shapes):
    sizes = [value.numel() for value in shapes.values()]
    return {name: part.view(shapes[name].shape) for name, part in zip(shapes, flat.split(sizes))}


def plainly(x, y):
    return torch.relu(torch.maximum(x[:, :, None], y[:, None, :]))


class Joined(torch.autograd.Function):
    """The rectifier with what its gradient needs, and no more, kept from the forward pass."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return torch.maximum(x.relu()[:, :, None], y.relu()[:, None, :])

    @staticmethod
    def backward(ctx, dX):
        x, y = ctx.saved_tensors
        left = dX * (x[:, :, None] > y.relu()[:, None, :])
        return left.sum(2).mul_(x > 0), (dX.sum(1) - left.sum(1)).mul_(y > 0)


class ByAutograd:
    def __init__(self, network, join, foreach):
        self.network, self.join, self.foreach = network, join, foreach
        self.reset()

    def reset(self):
        self.p = {name: value.clone().requires_grad_() for name, value in self.network.start.items()}
        groups = [{"params": [p], "lr": rate} for p, rate in zip(self.p.values(), self.network.rates)]
        self.adam = torch.optim.Adam(groups, betas=BETAS, eps=EPSILON, foreach=self.foreach)

    def __call__(self):
        self.adam.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(self.network.scores(self.p, self.join), self.network.labels)
        loss.backward()
        self.adam.step()
        return loss.detach()

    def outputs(self):
        return judged(self)


class ByHand:
    """Backward without autograd, into one block of gradients, and Adam on whole blocks in place."""

    def __init__(self, network, adam_by_parameter):
        self.network, self.adam_by_parameter = network, adam_by_parameter
        self.joined = {}
        self.reset()

    def reset(self):
        network = self.network
        self.flat, self.p = network.fresh()
        self.gradient, self.m, self.v, self.scratch = (torch.zeros_like(self.flat) for _ in range(4))
        self.g, self.m_of, self.scratch_of, self.v_of = (
            views(block, network.start) for block in (self.gradient, self.m, self.scratch, self.v))
        self.step = 0

    def __call__(self):
        F = self.network.features(self.p)
        dF = torch.zeros_like(F)
        loss = self.shallow(F, dF) if self.network.kind == "cp" else self.joins(F, dF)
        B, T, M = F.shape
        rows = dF.mul_(F > 0).view(B * T, M)
        torch.mm(rows.t(), self.network.X.view(B * T, -1), out=self.g["features.A"])
        torch.sum(rows, 0, out=self.g["features.b"])
        self.adam()
        return loss

    def loss(self, scores):
        labels = self.network.labels
        logs = torch.log_softmax(scores, 1)
        d = logs.exp()
        d[torch.arange(len(labels)), labels] -= 1
        return functional.nll_loss(logs, labels), d.div_(len(labels))

    def joins(self, F, dF):
        network, p, g = self.network, self.p, self.g
        B = F.shape[0]
        values = [torch.mm(F[:, t], p[name].t()) for t, name in enumerate(network.leaves)]
        if network.kind == "tt":
            values.append(torch.zeros(B, 1, dtype=F.dtype))
        for left, right, name in network.nodes:
            x, y = values[left].relu(), values[right].relu()
            X = self.joined.get(name)
            if X is None:
                X = self.joined[name] = torch.empty(B, x.shape[1], y.shape[1], dtype=F.dtype)
            torch.maximum(x[:, :, None], y[:, None, :], out=X)
            values.append(torch.mm(X.view(B, -1), p[name].view(-1, p[name].shape[2])))
        loss, d = self.loss(values[-1])
        gradients = {len(values) - 1: d}
        first = len(values) - len(network.nodes)
        for n in reversed(range(len(network.nodes))):
            left, right, name = network.nodes[n]
            G, X, dout = p[name], self.joined[name], gradients.pop(first + n)
            flat = G.view(-1, G.shape[2])
            torch.mm(X.view(B, -1).t(), dout, out=g[name].view(flat.shape))
            dX = torch.mm(dout, flat.t(), out=X.view(B, -1)).view(X.shape)
            x, y = values[left], values[right]
            total = dX.sum(1)
            dX.mul_(x[:, :, None] > y.relu()[:, None, :])
            gradients[left] = dX.sum(2).mul_(x > 0)
            gradients[right] = (total - dX.sum(1)).mul_(y > 0)
        for t, name in enumerate(network.leaves):
            torch.mm(gradients[t].t(), F[:, t], out=g[name])
            dF[:, t] = torch.mm(gradients[t], p[name])
        return loss

    def shallow(self, F, dF):
        p, g = self.p, self.g
        z = torch.bmm(F.transpose(0, 1), p["v"].transpose(1, 2))
        s = z.amax(0)
        r = s.relu()
        loss, d = self.loss(torch.mm(r, p["lambda"]))
        torch.mm(r.t(), d, out=g["lambda"])
        ds = torch.mm(d, p["lambda"].t()).mul_(s > 0)
        for t in range(z.shape[0]):
            dz = torch.mul(ds, z[t] == s, out=z[t])
            torch.mm(dz.t(), F[:, t], out=g["v"][t])
            dF[:, t] = torch.mm(dz, p["v"][t])
        return loss

    def adam(self):
        self.step += 1
        (b1, b2), rates = BETAS, self.network.rates
        c1, c2 = 1 - b1 ** self.step, 1 - b2 ** self.step
        blocks = [(self.gradient, self.m, self.v, self.scratch)]
        if self.adam_by_parameter:
            # A parameter at a time stays in the caches between the passes.
            blocks = [(self.g[n], self.m_of[n], self.v_of[n], self.scratch_of[n]) for n in self.p]
        for n, (gradient, m, v, scratch) in enumerate(blocks):
            m.mul_(b1).add_(gradient, alpha=1 - b1)
            v.mul_(b2).addcmul_(gradient, gradient, value=1 - b2)
            torch.sqrt(v, out=scratch).div_(math.sqrt(c2)).add_(EPSILON)
            if self.adam_by_parameter:
                name = list(self.p)[n]
                self.p[name].addcdiv_(m, scratch, value=-rates[n] / c1)
        if not self.adam_by_parameter:
            for (name, value), rate in zip(self.p.items(), rates):
                value.addcdiv_(self.m_of[name], self.scratch_of[name], value=-rate / c1)

    def outputs(self):
        return judged(self)


def judged(training):
    training.reset()
    return {"out": torch.stack([training() for _ in range(JUDGED_STEPS)])}


def training(workload, inputs):
    network = Network(workload["model"], inputs)
    yield "autograd of relu(maximum), mm, optim.Adam", "plain", ByAutograd(network, plainly, False)
    yield "autograd, a Function for the rectifier, Adam(foreach)", "best", ByAutograd(network, Joined.apply, True)
    yield "backward by hand, Adam in place on one block", "best", ByHand(network, False)
    yield "backward by hand, Adam in place by parameter", "best", ByHand(network, True)


def scoring(workload, inputs):
    network = Network(workload["model"], inputs)
    _, p = network.fresh()
    v = p["v"]
    B, T = network.X.shape[:2]

    def at_once():
        return {"out": network.scores(p, plainly)}

    def blocks(rows):
        packed = [v[t].t().contiguous() for t in range(T)]
        z = torch.empty(rows, v.shape[1])
        out = torch.empty(B, p["lambda"].shape[1])

        def run():
            F = network.features(p)
            for first in range(0, B, rows):
                part = F[first:first + rows]
                best = torch.mm(part[:, 0], packed[0])
                for t in range(1, T):
                    torch.maximum(best, torch.mm(part[:, t], packed[t], out=z[:len(part)]), out=best)
                torch.mm(best.relu_(), p["lambda"], out=out[first:first + rows])
            return {"out": out}

        return run

    yield "bmm, amax, relu, mm", "best", at_once
    for rows in (50, 125, 250, 1000):
        yield f"mm and maximum step by step, blocks of {rows} rows", "best", blocks(rows)
    compiled = torch.jit.script(shallow)
    args = (network.X, p["features.A"], p["features.b"], v, p["lambda"])
    yield "jit.script of bmm, amax, relu, mm", "best", lambda: {"out": compiled(*args)}


def shallow(X: torch.Tensor, A: torch.Tensor, b: torch.Tensor, v: torch.Tensor, weights: torch.Tensor):
    F = torch.relu(torch.matmul(X, A.t()) + b)
    z = torch.bmm(F.transpose(0, 1), v.transpose(1, 2))
    return torch.mm(torch.relu(torch.amax(z, [0])), weights)

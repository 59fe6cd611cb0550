"""Reads and writes the models of xitensor with plain NumPy, and computes what they compute.

    python3 interop.py score X.npy MODEL.safetensors ...     writes MODEL.scores.npy beside each model
    python3 interop.py train X.npy LABELS.npy MODEL.safetensors
        trains a recurrent network by gradient descent, writes it and MODEL.scores.npy

The formulas are those of the package's documentation; nothing of it is needed to run this.
"""

import json
import struct
import sys

import numpy as np

DTYPES = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8")}

# Operator: value, unit.
XI = {
    "product": (lambda x, y: x * y, 1.0),
    "rectifier": (lambda x, y: np.maximum(np.maximum(x, y), 0), 0.0),
    "max": (np.maximum, -np.inf),
    "min": (np.minimum, np.inf),
    "sum": (lambda x, y: x + y, 0.0),
    "relusum": (lambda x, y: np.maximum(x, 0) + np.maximum(y, 0), 0.0),
    "logsumexp": (np.logaddexp, -np.inf),
    "l2": (np.hypot, 0.0),
}

ACTIVATIONS = {"identity": lambda z: z, "relu": lambda z: np.maximum(z, 0), "tanh": np.tanh}


def read_safetensors(path):
    """Tensors by name, and the metadata: u64 length of a JSON header, the header, the data."""
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    body = data[8 + length :]
    tensors = {}
    for name, info in header.items():
        begin, end = info["data_offsets"]
        flat = np.frombuffer(body[begin:end], DTYPES[info["dtype"]])
        tensors[name] = flat.reshape(info["shape"])
    return tensors, metadata


def write_safetensors(path, tensors, metadata):
    """The reverse of read_safetensors, in float32."""
    header, body = {"__metadata__": metadata}, b""
    for name, tensor in tensors.items():
        raw = np.ascontiguousarray(tensor, "<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(body), len(body) + len(raw)]}
        body += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)


def pairs(xi, x, y):
    """ξ of all pairs of components: [B,L] and [B,R] give [B,L,R]."""
    return XI[xi][0](x[:, :, None], y[:, None, :])


def place(config, t):
    """The name under which a recurrent network keeps the weights of step t."""
    if not config["shared"]:
        return str(t)
    return "last" if t == config["steps"] - 1 else "first" if t == 0 else "middle"


def features(config, W, X):
    """f(x_t) = σ(A x_t + b): [B,T,N] gives [B,T,M]."""
    return ACTIVATIONS[config["features"]["activation"]](X @ W["features.A"].T + W["features.b"])


def score_cp(config, W, F):
    """Σ_r λ[r,c] ξ_t ⟨f(x_t), v[t,r]⟩, the fold over t from the unit."""
    value, unit = XI[config["xi"]]
    state = np.full((len(F), len(W["lambda"])), unit)
    for t in range(config["steps"]):
        state = value(state, F[:, t] @ (W["v"] if config["shared"] else W["v"][t]).T)
    return state @ W["lambda"]


def score_tt(config, W, F):
    """h_t[k] = Σ_ij G_t[i,j,k] ξ((C_t f(x_t))[i], h_{t-1}[j]), h_0 = unit, scores h_T."""
    h = np.full((len(F), 1), XI[config["xi"]][1])
    for t in range(config["steps"]):
        name = place(config, t)
        joined = pairs(config["xi"], F[:, t] @ W["C." + name].T, h)
        h = np.einsum("bij,ijk->bk", joined, W["G." + name])
    return h


def score_ht(config, W, F):
    """A balanced tree of p[g] = Σ_ab B[a,b,g] ξ(left[a], right[b]) over the leaves W_t f(x_t)."""
    shared = config["shared"]
    nodes = [F[:, t] @ W["W" if shared else f"W.{t}"].T for t in range(config["steps"])]
    level = 0
    while len(nodes) > 1:
        level += 1
        above = []
        for s in range(len(nodes) // 2):
            left, right = nodes[2 * s], nodes[2 * s + 1]
            B = W[f"B.{level}" if shared else f"B.{level}.{s}"]
            if config["diagonal"]:
                above.append(XI[config["xi"]][0](left, right) @ B)
            else:
                above.append(np.einsum("bij,ijk->bk", pairs(config["xi"], left, right), B))
        # A node without a sibling is passed up as it is.
        nodes = above + nodes[2 * (len(nodes) // 2) :]
    return nodes[0]


SCORES = {"cp": score_cp, "tt": score_tt, "ht": score_ht}


def score(config, tensors, X):
    W = {name: tensor.astype(np.float64) for name, tensor in tensors.items()}
    return SCORES[config["kind"]](config, W, features(config, W, X))


def load(path):
    tensors, metadata = read_safetensors(path)
    return json.loads(metadata["xitensor"])["config"], tensors


def gradient_tt(config, W, X, labels):
    """Mean softmax cross-entropy of a recurrent rectifier network with identity features, and its gradients."""
    T = config["steps"]
    F = features(config, W, X)
    h, a = [np.zeros((len(X), 1))], []
    for t in range(T):
        a.append(F[:, t] @ W[f"C.{t}"].T)
        h.append(np.einsum("bij,ijk->bk", pairs("rectifier", a[t], h[t]), W[f"G.{t}"]))
    p = np.exp(h[T] - h[T].max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    rows = np.arange(len(X))
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    d, grads, dF = p / len(X), {}, np.zeros_like(F)
    for t in reversed(range(T)):
        x, y = a[t][:, :, None], h[t][:, None, :]
        grads[f"G.{t}"] = np.einsum("bij,bk->ijk", pairs("rectifier", a[t], h[t]), d)
        P = np.einsum("bk,ijk->bij", d, W[f"G.{t}"])
        da = (P * ((x >= y) & (x > 0))).sum(2)
        d = (P * ((y > x) & (y > 0))).sum(1)
        grads[f"C.{t}"] = da.T @ F[:, t]
        dF[:, t] = da @ W[f"C.{t}"]
    grads["features.A"] = np.einsum("btm,btn->mn", dF, X)
    grads["features.b"] = dF.sum((0, 1))
    return loss, grads


def train(X, labels, steps=60, rate=0.3, size=6, rank=5):
    """Plain gradient descent from random weights."""
    T, N, K = X.shape[1], X.shape[2], int(labels.max()) + 1
    rng = np.random.default_rng(1)
    bounds = [1] + [rank] * (T - 1) + [K]
    config = {
        **{"kind": "tt", "xi": "rectifier", "steps": T, "inputs": N, "outputs": K, "shared": False},
        **{"rank": bounds[1:-1], "projection": size, "features": {"size": size, "activation": "identity"}},
    }
    W = {"features.A": rng.normal(size=(size, N)) / N**0.5, "features.b": np.zeros(size)}
    for t in range(T):
        W[f"C.{t}"] = rng.normal(size=(size, size)) / size**0.5
        W[f"G.{t}"] = rng.normal(size=(size, bounds[t], bounds[t + 1])) / (size * bounds[t]) ** 0.5
    for step in range(steps):
        loss, grads = gradient_tt(config, W, X, labels)
        if step in (0, steps - 1):
            print(f"step {step + 1}: loss {loss:.4f}")
        for name in W:
            W[name] -= rate * grads[name]
    return config, {name: value.astype("<f4") for name, value in W.items()}


def main(command, x, *paths):
    X = np.load(x).astype(np.float64)
    if command == "train":
        labels, path = np.load(paths[0]).astype(int), paths[1]
        config, tensors = train(X, labels)
        metadata = {"xitensor": json.dumps({"format": 1, "config": config})}
        write_safetensors(path, tensors, metadata)
        paths = [path]
    for path in paths:
        np.save(path.replace(".safetensors", ".scores.npy"), score(*load(path), X))


if __name__ == "__main__":
    main(*sys.argv[1:])

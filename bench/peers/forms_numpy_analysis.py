"""NumPy's and SciPy's ways to the rank of a network's grid and to a tensor train; forms as in forms_numpy.py."""

import numpy as np
import scipy.linalg

from forms_numpy import grid_in_blocks


def rank(workload, t):
    """Singular values, which is all that these libraries know of a rank, of exact workloads too."""
    M, T = workload["M"], workload["T"]
    templates = [np.maximum(t["F"] @ t[f"C{n}"].T, 0) for n in range(T)]
    cores = [t[f"G{n}"] for n in range(T)]
    odd, even = range(0, T, 2), range(1, T, 2)

    def lapack(matrix):
        return scipy.linalg.svdvals(matrix, overwrite_a=True, check_finite=False)

    def numpy(matrix):
        return np.linalg.svd(matrix, compute_uv=False)

    def form(rows, values):
        def run():
            grid = grid_in_blocks(M, templates, cores, rows).reshape((M,) * T)
            matrix = grid.transpose(*odd, *even).reshape(M ** len(odd), M ** len(even))
            return {"s": values(matrix)}

        return run

    for rows in (500, 2000):
        yield f"grid in blocks of {rows} rows, scipy.linalg.svdvals", "best", form(rows, lapack)
        yield f"grid in blocks of {rows} rows, numpy.linalg.svd", "best", form(rows, numpy)


def trains(workload, H):
    shape, eps = workload["shape"], workload["eps"]

    def numpy(A):
        return np.linalg.svd(A, full_matrices=False)

    def lapack(A):
        return scipy.linalg.svd(A, full_matrices=False, check_finite=False)

    def triangular(A):
        """The SVD of the small triangle of a wide or tall matrix alone."""
        rows, columns = A.shape
        if columns >= 2 * rows:
            R = scipy.linalg.qr(A.T, mode="r", check_finite=False, overwrite_a=False)[0][:rows]
            U, s, _ = np.linalg.svd(R.T, full_matrices=False)
            return U, s, None
        if rows >= 2 * columns:
            Q, R = np.linalg.qr(A)
            U, s, V = np.linalg.svd(R, full_matrices=False)
            return Q @ U, s, V
        return np.linalg.svd(A, full_matrices=False)

    def sweep(decompose):
        def run():
            threshold = eps * np.linalg.norm(H) / np.sqrt(len(shape) - 1)
            cores, rest, r = {}, H, 1
            for t, n in enumerate(shape[:-1]):
                A = rest.reshape(r * n, -1)
                U, s, V = decompose(A)
                tail = np.sqrt(np.cumsum(s[::-1] ** 2))[::-1]
                kept = max(1, int(np.sum(tail > threshold)))
                cores[f"core{t}"] = U[:, :kept].reshape(r, n, kept)
                rest = U[:, :kept].T @ A if V is None else s[:kept, None] * V[:kept]
                r = kept
            cores[f"core{len(shape) - 1}"] = rest.reshape(r, shape[-1], 1)
            return cores

        return run

    yield "numpy.linalg.svd of each unfolding", "best", sweep(numpy)
    yield "scipy.linalg.svd of each unfolding", "best", sweep(lapack)
    yield "SVD of the triangle of each unfolding", "best", sweep(triangular)

"""The matrix product alone, by OpenBLAS: max(a, h, 0) or a·h lies ready, so this is less work than ours."""

import ctypes

import numpy as np

blas = ctypes.CDLL("libopenblas.so.0")
blas.openblas_set_num_threads(1)
blas.openblas_get_config.restype = ctypes.c_char_p
blas.openblas_get_corename.restype = ctypes.c_char_p

ROW_MAJOR, NO_TRANSPOSE = 101, 111
JOIN = {
    "rectifier": lambda x, y: np.maximum(np.maximum(x, y), 0),
    "product": np.multiply,
}


def versions():
    version = blas.openblas_get_config().decode().split()[1]
    return {"openblas": f"{version}, kernels for {blas.openblas_get_corename().decode()}"}


def forms(workload, t):
    a, h, G = t["a"], t["h"], t["G"]
    (B, L), R, K = a.shape, h.shape[1], G.shape[2]
    X = np.ascontiguousarray(JOIN[workload["xi"]](a[:, :, None], h[:, None, :])).reshape(B, L * R)
    out = np.empty((B, K), dtype=a.dtype)
    single = a.dtype == np.float32
    gemm, real = (blas.cblas_sgemm, ctypes.c_float) if single else (blas.cblas_dgemm, ctypes.c_double)
    pointer = ctypes.c_void_p
    gemm.argtypes = [ctypes.c_int] * 6 + [real, pointer, ctypes.c_int, pointer, ctypes.c_int, real, pointer, ctypes.c_int]
    gemm.restype = None
    arguments = (ROW_MAJOR, NO_TRANSPOSE, NO_TRANSPOSE, B, K, L * R, 1.0, X.ctypes.data, L * R, G.ctypes.data, K, 0.0,
                 out.ctypes.data, K)

    def run():
        gemm(*arguments)
        return {"out": out}

    # The arrays must outlive the pointers.
    run.keep = (X, G, out)
    yield f"cblas_{'s' if single else 'd'}gemm, operands formed beforehand", "best", run

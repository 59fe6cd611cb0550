import type { DType, FloatArray } from '../core/tensor.ts';
import type { Xi } from '../core/xi.gen.ts';

/** The backends in the order in which they are tried. */
export const BACKEND_NAMES = ['native', 'wasm', 'reference'] as const;
/** The backends, in the order in which they are tried. */
export type BackendName = (typeof BACKEND_NAMES)[number];

export const ACTIVATIONS = ['identity', 'relu', 'tanh'] as const;
/** σ of the features σ(A x + b), one by one: z, max(z, 0) or tanh(z). */
export type Activation = (typeof ACTIVATIONS)[number];

/** What training minimizes; the equations are those of {@link Kernels.loss}. */
export const LOSSES = ['softmax', 'mse'] as const;
/** What training minimizes: cross-entropy behind a softmax, or the mean squared error. */
export type Loss = (typeof LOSSES)[number];

/** What rows of scores are compared with: a class each, or target values [rows,outputs]. */
export type Answers = Int32Array | Storage;

/** What a number of rows adds to running figures. */
export interface LossSum {
  /** Sum over the rows. */
  readonly loss: number;
  /** Rows whose first largest score is that of their class; 0 where there are no classes. */
  readonly correct: number;
}

/** Values where the kernels of one backend can reach them; they stay there from call to call. */
export interface Storage {
  /** Of the elements. */
  readonly dtype: DType;
  /** Number of elements. */
  readonly length: number;
  /** The `length` elements from `offset` on, sharing memory with this storage. */
  at(offset: number, length?: number): Storage;
  /** A copy of the values, which no later call changes. */
  read(): FloatArray;
  /** The values of a storage that will not be used again: without a copy where they are in the JavaScript heap. */
  take(): FloatArray;
  /** Copies as many values into it as it has elements. */
  write(values: ArrayLike<number>): void;
  /** Sets every element to a value. */
  fill(value: number): void;
  /**
   * Gives the memory back at once; neither this storage nor a part of it may be used again. For temporaries in calls
   * that a user may repeat without ever yielding to the garbage collector; all else is left to it.
   */
  release(): void;
}

/** Extents of `out[b,k] = Σ_ij G[i,j,k] ξ(a[b,i], h[b,j])`. */
export interface ContractSizes {
  /** Rows of a, h and out: the batch. */
  readonly B: number;
  /** Columns of a. */
  readonly L: number;
  /** Columns of h. */
  readonly R: number;
  /** Columns of out. */
  readonly K: number;
}

/** A strided view of a matrix: element (r, c) lies at `r·rowStride + c·colStride`. */
export interface Strided {
  /** Holds every element of the view. */
  readonly data: Storage;
  /** Elements from one row to the next. */
  readonly rowStride: number;
  /** Elements from one column to the next. */
  readonly colStride: number;
}

/** What a contraction does with its terms (⊕); `sum` weighs by ×, the others by +. Ids in native/abi.h. */
export const REDUCTIONS = ['sum', 'max', 'min', 'logsumexp'] as const;
/** ⊕ of a contraction; ⊙ is × under `sum`, else +. */
export type Reduction = (typeof REDUCTIONS)[number];

/**
 * The least precision that a contraction of float32 is wanted at. `bf16x3` rounds each factor to two bf16 parts and sums three
 * products of them (errors up to 3·2⁻¹⁶ of a term), `bf16` rounds to one (2⁻⁷); sums are in float32. See docs/backends.md.
 */
export const PRECISIONS = ['float32', 'bf16x3', 'bf16'] as const;
/** The least precision that a contraction of float32 is wanted at: of 24, 16 or 8 bits a factor. See docs/backends.md. */
export type Precision = (typeof PRECISIONS)[number];
/** The instruction set whose tile computes at a precision, where there is one that is faster than multiply-adds. */
export type Tiles = Readonly<Partial<Record<Precision, string>>>;

/** An operand of a {@link Joined} contraction: values, and one stride, in elements, for each axis of its side. */
export interface JoinedOperand {
  /** The values. */
  readonly data: Storage;
  /** Left: of the batch, row and term axes; right: of the batch, column and term axes. 0 where it does not vary. */
  readonly strides: readonly number[];
}

/**
 * `out[g,m,n] = ⊕_s left[g,m,s] ⊗ right[g,n,s]`, where left is ξ of its operands and right of its own: the form that
 * every step of a contraction has. g, m, n and s are multi-indices: several axes each, or none (one value).
 *
 * Weights W are a right side of one operand with ⊗ = × or +; contractions without weights put some operands on
 * each side and have ⊗ = ξ; without a right side, ⊕ goes over the left one alone and there are no columns.
 */
export interface Joined {
  /** What joins the operands of a side. */
  readonly xi: Xi;
  /** ⊗, which is one of the operators too. */
  readonly combine: Xi;
  /** ⊕, over the terms. */
  readonly reduce: Reduction;
  /** Whether the left side starts from the unit of ξ, as a single operand must: max(z, 0), |z|. */
  readonly fromUnit: boolean;
  /** Extents of the axes of g. */
  readonly batch: readonly number[];
  /** Extents of m. */
  readonly rows: readonly number[];
  /** Extents of n. */
  readonly columns: readonly number[];
  /** Extents of s. With one of 0, out is the neutral element of ⊕. */
  readonly terms: readonly number[];
  /** 1 to 4 (`MAX_JOINED`). */
  readonly left: readonly JoinedOperand[];
  /** 0 to 4 (`MAX_JOINED`). */
  readonly right: readonly JoinedOperand[];
  /** Strides of out: of the batch, row and column axes; no two elements may fall together. */
  readonly outStrides: readonly number[];
}

/** Extents of `out[p,m,k] = Σ_ij G[i,j,k] ξ(a[m,i], h[p,j])`: P hidden rows, M templates. */
export interface GridSizes {
  /** Hidden rows. */
  readonly P: number;
  /** Templates. */
  readonly M: number;
  /** Columns of a. */
  readonly L: number;
  /** Columns of h. */
  readonly R: number;
  /** Columns of out. */
  readonly K: number;
}

/** Weights G [L,R,K] laid out for one backend, instruction set and precision; later changes of G do not reach them. */
export interface PackedWeights {
  /** First extent of G. */
  readonly L: number;
  /** Second extent of G. */
  readonly R: number;
  /** Third extent of G. */
  readonly K: number;
  /** What the layout is for; that of the tile that reads it. */
  readonly precision: Precision;
  /** Panels, in the order in which the kernel reads them. */
  readonly values: Storage;
}

/** Rows x[t,n,:] of a sequence, at t·step + n·row; with a step of 0 the same rows at every t. */
export interface Rows {
  /** Holds all rows. */
  readonly data: Storage;
  /** Elements from a row to the next of the same step. */
  readonly row: number;
  /** Elements from a row to that of the next step. */
  readonly step: number;
}

/** Folds over steps, which CP networks are made of. */
export interface Folds {
  /** `out[n] = ξ(…ξ(ξ(u, z[0,n]), z[1,n])…, z[T−1,n])`; z [T,N], out [N]. */
  fold(xi: Xi, steps: number, count: number, z: Storage, out: Storage): void;
  /** `dz[t,n] = dout[n] ∂out[n]/∂z[t,n]`. */
  foldGradient(xi: Xi, steps: number, count: number, z: Storage, dout: Storage, dz: Storage): void;
  /**
   * `s[b,r] = ξ_t ⟨f[t,b,:], v[t,r,:]⟩`, the fold of projections of which none is stored, and `scores = s λ`; rows of M,
   * λ [R,K], scores [B,K], s [B,R]; 2·T·B·R·M + 2·B·R·K operations. Of a ξ with bound `pieces`, which selects one of its
   * operands, winners [B,R] gets the step whose projection s is, −1 for none.
   */
  projectFold(
    xi: Xi,
    sizes: { readonly steps: number; readonly B: number; readonly R: number; readonly M: number },
    f: Rows,
    v: Rows,
    to: {
      readonly sum?: { readonly K: number; readonly lambda: Storage; readonly scores: Storage };
      readonly s?: Storage;
      readonly winners?: Storage;
    },
  ): void;
  /**
   * `out[w,p,:] += Σ_q d[p,q] x[w,q,:]` over the q whose winner w = winners[p,q] is a step; winners and d [P,Q], or [Q,P] if
   * `transposed`: both gradients of {@link Folds.projectFold} with winners, for 2·P·Q·M operations each instead of T times as many.
   */
  winnerSums(
    sizes: { readonly steps: number; readonly P: number; readonly Q: number; readonly M: number },
    winners: Storage,
    d: Storage,
    transposed: boolean,
    x: Rows,
    out: Rows,
  ): void;
}

/** The numbers of one step of Adam or AdamW. */
export interface AdamOptions {
  /** η, the learning rate of this step. */
  readonly rate: number;
  /** β₁, the decay of the first moments. */
  readonly beta1: number;
  /** β₂, the decay of the second moments. */
  readonly beta2: number;
  /** Added to the root of the second moments. */
  readonly epsilon: number;
  /** 1 − β₁ᵗ after t steps. */
  readonly correction1: number;
  /** 1 − β₂ᵗ after t steps. */
  readonly correction2: number;
  /** Factor on the gradient, by which clipping works. */
  readonly scale: number;
  /** Part of each parameter that is taken off, apart from the gradient: AdamW where it is above 0. */
  readonly decay: number;
}

/**
 * Linear algebra in float64 of a row-major matrix A [rows, cols], with k = min(rows, cols); results are fresh arrays.
 *
 * All functions raise E_NUMERIC if A holds a NaN or an infinity, E_DTYPE if it is not float64.
 */
export interface LinearAlgebra {
  /**
   * The k singular values, descending. Their error is at most `16ε‖A‖_F` and that of Householder methods; those below it may come
   * back as 0. About 4·rows·cols·rank operations, where the rank is small. With `places` [rows + cols] the matrix is that of the
   * elements `A[places[i] + places[rows + j]]`, such as a matricization of a tensor.
   */
  singularValues(rows: number, cols: number, A: Storage, places?: Int32Array | null): Float64Array;
  /** `A = U diag(s) Vt`; U [rows,k] with orthonormal columns, s [k] as {@link singularValues}, Vt [k,cols] with orthonormal rows. */
  svd(rows: number, cols: number, A: Storage): Svd;
  /** U and s of {@link svd}, which cost less without Vt. */
  leftSvd(rows: number, cols: number, A: Storage): Omit<Svd, 'Vt'>;
  /** `A = Q R`; Q [rows,k] with orthonormal columns, R [k,cols] upper trapezoidal. */
  qr(rows: number, cols: number, A: Storage): Qr;
  /** R of {@link qr} alone. */
  triangle(rows: number, cols: number, A: Storage): Float64Array;
  /** Whether all k singular values are proven to exceed `bound`: by a Cholesky decomposition of AᵀA − bound²; false is no proof. */
  fullRank(rows: number, cols: number, A: Storage, bound: number): boolean;
  /**
   * `#{ s_k > tolerance · s_1 }`, counted without the values s under a model of rounding, or null where that fails: because one lies too close to the
   * threshold, or because the matrix is so small that the values cost no more. About 4·rows·cols·rank operations. `places` as in
   * {@link singularValues}.
   */
  numericalRank(
    rows: number,
    cols: number,
    A: Storage,
    tolerance: number,
    places?: Int32Array | null,
  ): number | null;
  /** The rank modulo a prime up to 2²⁶ of integers in [0, prime), exactly: a lower bound of the rank over the integers. */
  rankModulo(rows: number, cols: number, A: Storage, prime: number): number;
}

/** `A = Q R` of a matrix [rows,cols], with k = min(rows, cols). */
export interface Qr {
  /** [rows,k], its columns orthonormal. */
  readonly Q: Float64Array;
  /** [k,cols], upper trapezoidal. */
  readonly R: Float64Array;
}

/** `A = U diag(s) Vt` of a matrix [rows,cols], with k = min(rows, cols) singular values, the largest first. */
export interface Svd {
  /** [rows,k], its columns orthonormal. */
  readonly U: Float64Array;
  /** [k], descending. */
  readonly s: Float64Array;
  /** [k,cols], its rows orthonormal: V transposed, as NumPy and LAPACK return it. */
  readonly Vt: Float64Array;
}

/** What a backend computes. All arrays are row-major; all storages of one call have one dtype and do not overlap. */
export interface Kernels extends LinearAlgebra, Folds {
  /**
   * `out[b,k] = Σ_ij G[i,j,k] ξ(a[b,i], h[b,j])`; a [B,L], h [B,R], G [L,R,K], out [B,K]; 2·B·L·R·K operations.
   *
   * A `precision` below float32, of float32 alone, is used where the backend has a tile for it ({@link Backend.tiles}).
   */
  contract(
    xi: Xi,
    sizes: ContractSizes,
    a: Storage,
    h: Storage,
    G: Storage,
    out: Storage,
    precision?: Precision,
  ): void;
  /** Lays weights out once for many contractions, which then copy none of them. */
  packWeights(L: number, R: number, K: number, G: Storage, precision?: Precision): PackedWeights;
  /** {@link contract} with packed weights, at their precision; a [B,L], h [B,R], out [B,K]. */
  contractPacked(xi: Xi, B: number, a: Storage, h: Storage, packed: PackedWeights, out: Storage): void;
  /**
   * The gradients of {@link contract}: `da[b,i] = Σ_jk G dout ∂ξ/∂x`, `dh[b,j] = Σ_ik G dout ∂ξ/∂y` and
   * `dG[i,j,k] = Σ_b ξ(a[b,i], h[b,j]) dout[b,k]`; adds to dG if `accumulate`.
   */
  contractGradient(
    xi: Xi,
    sizes: ContractSizes,
    from: { readonly a: Storage; readonly h: Storage; readonly G: Storage; readonly dout: Storage },
    to: { readonly da: Storage; readonly dh: Storage; readonly dG: Storage },
    accumulate: boolean,
  ): void;
  /**
   * One step of a grid tensor, all pairs of templates and hidden rows: `out[p,m,k] = Σ_ij G[i,j,k] ξ(a[m,i], h[p,j])`;
   * a [M,L], h [P,R], G [L,R,K], out [P,M,K]. 2·P·M·L·R·K operations, or for product, rectifier, max, min and relusum, where it
   * costs less, 2·P·M·R·K by a lookup for each pair of a row and a j, or by a sweep over rows that are sorted for each j.
   */
  contractGrid(xi: Xi, sizes: GridSizes, a: Storage, h: Storage, G: Storage, out: Storage): void;
  /**
   * Computes a {@link Joined} contraction. With `arg`, a float64 storage laid out as out, and ⊕ = max or min: the linear
   * index (row-major over the term axes) of the first term that won; −1 without terms.
   */
  joined(plan: Joined, out: Storage, arg?: Storage): void;
  /**
   * Adds the gradients of Σ dout·out with respect to the operands of each side to `to`, where null skips one; ⊕ = sum or
   * logsumexp (whose weights are exp(term − out)). dout is laid out as out, a gradient as its operand.
   */
  joinedGradient(
    plan: Joined,
    out: Storage,
    dout: Storage,
    to: { readonly left: readonly (Storage | null)[]; readonly right: readonly (Storage | null)[] },
  ): void;
  /** `out[m,n] = ξ(x[m], y[n])`. */
  outer(xi: Xi, x: Storage, y: Storage, out: Storage): void;
  /** `C[m,n] = Σ_k A[m,k] B[k,n]`, added to C if `accumulate`; C has dense rows, `rowStride` apart. */
  matmul(M: number, N: number, K: number, A: Strided, B: Strided, C: Strided, accumulate: boolean): void;
  /** `z[r,c] = σ(z[r,c] + bias[c])` in place. */
  activate(activation: Activation, rows: number, cols: number, bias: Storage, z: Storage): void;
  /** `dy[r,c] *= σ′` in place, from the values y of σ; `dbias[c] = Σ_r dy[r,c]`. */
  activateGradient(
    activation: Activation,
    rows: number,
    cols: number,
    y: Storage,
    dy: Storage,
    dbias: Storage,
  ): void;
  /**
   * Columns of A for tokens, which is A times one-hot rows that nobody stores: `z[r,m] = A[m, tokens[r]]`; tokens [rows]
   * from 0 to N − 1, A [M,N], z [rows,M].
   */
  embed(rows: number, M: number, N: number, tokens: Int32Array, A: Storage, z: Storage): void;
  /** `dA[m,n] = Σ dz[r,m]` over the rows r with tokens[r] = n, in the order of the rows. */
  embedGradient(rows: number, M: number, N: number, tokens: Int32Array, dz: Storage, dA: Storage): void;
  /**
   * Losses of scores [rows,outputs], and where dScores is given the gradient of their mean over the rows.
   *
   * `softmax`: −ln p[label] with p = softmax(scores[r]), gradient (p[k] − [k = label]) / rows; wants classes.
   * `mse`: Σ_k (scores[r,k] − target[r,k])² / outputs, gradient 2 (score − target) / (rows·outputs); a class stands for its
   * one-hot row.
   */
  loss(
    loss: Loss,
    rows: number,
    outputs: number,
    scores: Storage,
    answers: Answers,
    dScores?: Storage,
  ): LossSum;
  /** One step of Adam on parameters p with gradient g and moments m and v, all in one pass. */
  adam(p: Storage, g: Storage, m: Storage, v: Storage, options: AdamOptions): void;
  /** `Σ_n x[n]²` in float64, or `Σ_n (x[n] − y[n])²`. */
  sumSquares(x: Storage, y?: Storage): number;
  /** Runs multiply-adds on registers alone and returns how many floating-point operations it did. */
  peak(dtype: DType, repetitions: number): number;
}

/** One way to compute, chosen at run time: where values live, and what can be done with them. */
export interface Backend extends Kernels {
  /** Which of the backends it is. */
  readonly name: BackendName;
  /** Instruction set of the kernels; `float64` for the reference, which has none. */
  readonly isa: string;
  /** Most threads that a call uses. */
  readonly threads: number;
  /**
   * Instruction sets whose tiles of bf16 products contract at a precision, at float32 from a size on; without one it runs at
   * float32, by multiply-adds.
   */
  readonly tiles: Tiles;
  /** Zeros. */
  allocate(dtype: DType, length: number): Storage;
  /** Storage with these values, to read from: the array itself where the kernels reach it, else a copy. */
  adopt(values: FloatArray): Storage;
}

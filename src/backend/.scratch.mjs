// src/backend/select.ts
import { availableParallelism } from "node:os";

// src/core/errors.ts
var XiError = class extends Error {
  code;
  constructor(code, message, options) {
    super(message, options);
    this.name = "XiError";
    this.code = code;
  }
};
function show(value) {
  if (typeof value === "string") return value.length > 60 ? `'${value.slice(0, 57)}\u2026'` : `'${value}'`;
  if (Array.isArray(value)) {
    const head = value.slice(0, 8).map(show).join(", ");
    return `[${head}${value.length > 8 ? `, \u2026 ${value.length} items` : ""}]`;
  }
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${value.byteLength} bytes)`;
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) {
    const keys = Object.keys(value);
    return `{ ${keys.slice(0, 6).join(", ")}${keys.length > 6 ? ", \u2026" : ""} }`;
  }
  return String(value);
}
function mismatch(code, where, expected, received) {
  return new XiError(code, `${where}: expected ${expected}, received ${show(received)}`);
}
function integer(where, value, low, high) {
  if (typeof value === "number" && Number.isInteger(value) && value >= low && value <= high) return value;
  throw mismatch("E_ARGUMENT", where, `an integer from ${low} to ${high}`, value);
}
function oneOf(where, value, choices) {
  if (choices.includes(value)) return value;
  throw mismatch("E_ARGUMENT", where, `one of ${choices.join(", ")}`, value);
}
function knownKeys(where, options, known) {
  if (typeof options !== "object" || options === null)
    throw mismatch("E_ARGUMENT", where, "options", options);
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw mismatch("E_ARGUMENT", where, `options among ${known.join(", ")}`, key);
    }
  }
}

// src/backend/interface.ts
var BACKEND_NAMES = ["native", "wasm", "reference"];
var ACTIVATIONS = ["identity", "relu", "tanh"];
var LOSSES = ["softmax", "mse"];
var REDUCTIONS = ["sum", "max", "min", "logsumexp"];
var PRECISIONS = ["float32", "bf16x3", "bf16"];
var MAX_JOINED = 4;
var MAX_AXES = 24;
var MAX_PRIME = 2 ** 26;

// src/backend/native.ts
import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

// src/core/abi.gen.ts
var ABI_VERSION = 4;
var TABLE_HASH = "ba09609431a10992";
var STATUS_ID = { ok: 0, argument: 1, memory: 2, isa: 3, numeric: 4, convergence: 5 };
var DTYPE_ID = { float32: 0, float64: 1 };
var REDUCE_ID = { sum: 0, max: 1, min: 2, logsumexp: 3 };
var PRECISION_ID = { full: 0, bf16x3: 1, bf16: 2 };
var ACTIVATION_ID = { identity: 0, relu: 1, tanh: 2 };
var LOSS_ID = { softmax: 0, mse: 1 };

// src/core/scalar.ts
var zero = 0;
var one = 1;
function max(x, y) {
  const larger = x < y ? y : x;
  return Number.isNaN(y) ? y : larger;
}
function min(x, y) {
  const smaller = y < x ? y : x;
  return Number.isNaN(y) ? y : smaller;
}
function positive(x) {
  return x < 0 ? 0 : x;
}
function beats(x, y) {
  return x > y ? 1 : 0;
}
function wins(x, y) {
  return x >= y ? 1 : 0;
}
function logaddexp(x, y) {
  return max(x, y) + Math.log1p(Math.exp(minusDistance(x, y)));
}
function logaddexpWeight(x, y) {
  const small = Math.exp(minusDistance(x, y));
  return (x >= y ? 1 : small) / (1 + small);
}
function hypot(x, y) {
  const large = max(Math.abs(x), Math.abs(y));
  const small = min(Math.abs(x), Math.abs(y));
  const ratio = large === 0 || large === Number.POSITIVE_INFINITY ? 0 : small / large;
  return large * Math.sqrt(1 + ratio * ratio);
}
function hypotWeight(x, y) {
  const length = hypot(x, y);
  return length === 0 ? 0 : x / length;
}
function minusDistance(x, y) {
  if (x === y) return 0;
  return x < y ? x - y : y - x;
}

// src/core/xi.gen.ts
var XI_NAMES = ["product", "rectifier", "max", "min", "sum", "relusum", "logsumexp", "l2"];
var XI = {
  product: {
    name: "product",
    id: 0,
    formula: "x\xB7y",
    unit: 1,
    ties: "smooth",
    nan: "propagates",
    tolerance: 1,
    bound: "rank",
    value: (x, y) => x * y,
    dx: (_x, y) => y,
    dy: (x) => x
  },
  rectifier: {
    name: "rectifier",
    id: 1,
    formula: "max(x, y, 0)",
    unit: 0,
    ties: "x before y, 0 before both",
    nan: "propagates",
    tolerance: 0,
    bound: "pieces",
    value: (x, y) => positive(max(x, y)),
    dx: (x, y) => wins(x, y) * beats(x, zero),
    dy: (x, y) => beats(y, x) * beats(y, zero)
  },
  max: {
    name: "max",
    id: 2,
    formula: "max(x, y)",
    unit: Number.NEGATIVE_INFINITY,
    ties: "x before y",
    nan: "propagates",
    tolerance: 0,
    bound: "pieces",
    value: (x, y) => max(x, y),
    dx: (x, y) => wins(x, y),
    dy: (x, y) => beats(y, x)
  },
  min: {
    name: "min",
    id: 3,
    formula: "min(x, y)",
    unit: Number.POSITIVE_INFINITY,
    ties: "x before y",
    nan: "propagates",
    tolerance: 0,
    bound: "pieces",
    value: (x, y) => min(x, y),
    dx: (x, y) => wins(y, x),
    dy: (x, y) => beats(x, y)
  },
  sum: {
    name: "sum",
    id: 4,
    formula: "x + y",
    unit: 0,
    ties: "smooth",
    nan: "propagates",
    tolerance: 1,
    bound: "additive",
    value: (x, y) => x + y,
    dx: (_x) => one,
    dy: (_x) => one
  },
  relusum: {
    name: "relusum",
    id: 5,
    formula: "max(x,0) + max(y,0)",
    unit: 0,
    ties: "0 before x and before y",
    nan: "propagates",
    tolerance: 1,
    bound: "additive",
    value: (x, y) => positive(x) + positive(y),
    dx: (x) => beats(x, zero),
    dy: (_x, y) => beats(y, zero)
  },
  logsumexp: {
    name: "logsumexp",
    id: 6,
    formula: "ln(e\u02E3 + e\u02B8)",
    unit: Number.NEGATIVE_INFINITY,
    ties: "smooth; 1/2 each at equal infinities",
    nan: "propagates",
    tolerance: 4,
    bound: "none",
    value: (x, y) => logaddexp(x, y),
    dx: (x, y) => logaddexpWeight(x, y),
    dy: (x, y) => logaddexpWeight(y, x)
  },
  l2: {
    name: "l2",
    id: 7,
    formula: "\u221A(x\xB2 + y\xB2)",
    unit: 0,
    ties: "0 at the origin",
    nan: "propagates",
    tolerance: 4,
    bound: "none",
    value: (x, y) => hypot(x, y),
    dx: (x, y) => hypotWeight(x, y),
    dy: (x, y) => hypotWeight(y, x)
  }
};

// src/backend/abi_folds.ts
function abiFolds({ abi, pointer, null: none }, context, check2) {
  return {
    fold(xi, steps, count, z, out) {
      const [dtype, id] = [DTYPE_ID[z.dtype], XI[xi].id];
      check2("fold", abi.xt_fold(context, dtype, id, steps, count, pointer(z), pointer(out)));
    },
    foldGradient(xi, steps, count, z, dout, dz) {
      const [dtype, id] = [DTYPE_ID[z.dtype], XI[xi].id];
      check2(
        "foldGradient",
        abi.xt_fold_gradient(context, dtype, id, steps, count, pointer(z), pointer(dout), pointer(dz))
      );
    },
    projectFold(xi, { steps, B, R, M: M2 }, f, v, { sum, s, winners }) {
      const optional = (storage) => storage ? pointer(storage) : none;
      check2(
        "projectFold",
        abi.xt_project_fold(
          context,
          DTYPE_ID[f.data.dtype],
          XI[xi].id,
          steps,
          B,
          R,
          M2,
          sum?.K ?? 0,
          pointer(f.data),
          f.row,
          f.step,
          pointer(v.data),
          v.row,
          v.step,
          optional(sum?.lambda),
          optional(sum?.scores),
          optional(s),
          optional(winners)
        )
      );
    },
    winnerSums({ steps, P, Q, M: M2 }, winners, d, transposed2, x, out) {
      check2(
        "winnerSums",
        abi.xt_winner_sums(
          context,
          DTYPE_ID[d.dtype],
          steps,
          P,
          Q,
          M2,
          pointer(winners),
          pointer(d),
          Number(transposed2),
          pointer(x.data),
          x.row,
          x.step,
          pointer(out.data),
          out.row,
          out.step
        )
      );
    }
  };
}

// src/backend/abi_linalg.ts
function abiLinearAlgebra({ abi, allocate: allocate2, pointer, result, ...binding }, context, check2) {
  const results = (kernel, lengths, call) => {
    const storages = [];
    try {
      for (const length of lengths) storages.push(length === null ? null : allocate2("float64", length));
      check2(kernel, call(storages.map((storage) => storage ? pointer(storage) : binding.null)));
    } catch (error) {
      for (const storage of storages) storage?.release();
      throw error;
    }
    return storages.map((storage) => storage ? storage.take() : new Float64Array(0));
  };
  return {
    singularValues(rows, cols, A2) {
      const k = Math.min(rows, cols);
      return results(
        "singularValues",
        [k],
        ([s]) => abi.xt_singular_values(context, rows, cols, pointer(A2), s)
      )[0];
    },
    svd(rows, cols, A2) {
      const k = Math.min(rows, cols);
      const [U, s, V] = results(
        "svd",
        [rows * k, k, k * cols],
        ([u, values, v]) => abi.xt_svd(context, rows, cols, pointer(A2), u, values, v)
      );
      return { U, s, V };
    },
    leftSvd(rows, cols, A2) {
      const k = Math.min(rows, cols);
      const [U, s] = results(
        "leftSvd",
        [rows * k, k, null],
        ([u, values, v]) => abi.xt_svd(context, rows, cols, pointer(A2), u, values, v)
      );
      return { U, s };
    },
    qr(rows, cols, A2) {
      const k = Math.min(rows, cols);
      const [Q, R] = results(
        "qr",
        [rows * k, k * cols],
        ([q, r]) => abi.xt_qr(context, rows, cols, pointer(A2), q, r)
      );
      return { Q, R };
    },
    triangle(rows, cols, A2) {
      const k = Math.min(rows, cols);
      return results(
        "triangle",
        [null, k * cols],
        ([q, r]) => abi.xt_qr(context, rows, cols, pointer(A2), q, r)
      )[1];
    },
    exceeds(rows, cols, A2, bound) {
      check2("exceeds", abi.xt_full_rank(context, rows, cols, pointer(A2), bound, result.pointer));
      return result.read()[0] === 1;
    },
    certifiedRank(rows, cols, A2, tolerance) {
      check2("certifiedRank", abi.xt_numerical_rank(context, rows, cols, pointer(A2), tolerance, result.pointer));
      const [rank, proven] = result.read();
      return proven === 1 ? rank : null;
    },
    rankModulo(rows, cols, A2, prime) {
      check2("rankModulo", abi.xt_rank_modulo(context, rows, cols, pointer(A2), prime, result.pointer));
      return result.read()[0];
    }
  };
}

// src/backend/abi.ts
function describeBinary(json) {
  const description = JSON.parse(json);
  if (description.abi !== ABI_VERSION || description.table !== TABLE_HASH) {
    return `stale: it was built for ABI ${description.abi}, table ${description.table}; this package needs ABI ${ABI_VERSION}, table ${TABLE_HASH}`;
  }
  return description;
}
function abiKernels(binding, isa, threads2) {
  const { abi, pointer, result } = binding;
  const context = isa.index | threads2 << 8;
  const contextAt = (precision) => precision === "float32" ? context : context | PRECISION_ID[precision] << 16;
  const joinedArguments = (plan, { dtype }) => {
    const words = wordsOf(plan);
    const x = [...plan.left, ...plan.right];
    const at2 = (n) => x[n] ? pointer(x[n].data) : binding.null;
    return [
      context,
      DTYPE_ID[dtype],
      XI[plan.xi].id,
      XI[plan.combine].id,
      REDUCE_ID[plan.reduce],
      Number(plan.fromUnit),
      binding.words(words),
      words.length,
      at2(0),
      at2(1),
      at2(2),
      at2(3),
      at2(4),
      at2(5),
      at2(6),
      at2(7)
    ];
  };
  return {
    contract(xi, { B, L: L2, R, K }, a, h, G, out, precision = "float32") {
      check(
        "contract",
        abi.xt_contract(
          contextAt(precision),
          DTYPE_ID[a.dtype],
          XI[xi].id,
          B,
          L2,
          R,
          K,
          pointer(a),
          pointer(h),
          pointer(G),
          pointer(out)
        )
      );
    },
    packWeights(L2, R, K, G, precision = "float32") {
      const dtype = DTYPE_ID[G.dtype];
      const at2 = contextAt(precision);
      check("packWeights", abi.xt_packed_length(at2, dtype, L2, R, K, result.pointer));
      const values = binding.allocate(G.dtype, result.read()[0]);
      check("packWeights", abi.xt_pack_weights(at2, dtype, L2, R, K, pointer(G), pointer(values)));
      return { L: L2, R, K, precision, values };
    },
    contractPacked(xi, B, a, h, { L: L2, R, K, precision, values }, out) {
      const [dtype, id] = [DTYPE_ID[a.dtype], XI[xi].id];
      check(
        "contractPacked",
        abi.xt_contract_packed(
          contextAt(precision),
          dtype,
          id,
          B,
          L2,
          R,
          K,
          pointer(a),
          pointer(h),
          pointer(values),
          pointer(out)
        )
      );
    },
    contractGradient(xi, { B, L: L2, R, K }, { a, h, G, dout }, { da, dh, dG }, accumulate) {
      check(
        "contractGradient",
        abi.xt_contract_gradient(
          context,
          DTYPE_ID[a.dtype],
          XI[xi].id,
          B,
          L2,
          R,
          K,
          pointer(a),
          pointer(h),
          pointer(G),
          pointer(dout),
          pointer(da),
          pointer(dh),
          pointer(dG),
          Number(accumulate)
        )
      );
    },
    contractGrid(xi, { P, M: M2, L: L2, R, K }, a, h, G, out) {
      const [dtype, id] = [DTYPE_ID[a.dtype], XI[xi].id];
      check(
        "contractGrid",
        abi.xt_contract_grid(
          context,
          dtype,
          id,
          P,
          M2,
          L2,
          R,
          K,
          pointer(a),
          pointer(h),
          pointer(G),
          pointer(out)
        )
      );
    },
    joined(plan, out, arg) {
      const at2 = arg ? pointer(arg) : binding.null;
      check("joined", abi.xt_joined(...joinedArguments(plan, out), pointer(out), at2));
    },
    joinedGradient(plan, out, dout, to) {
      const d = [...to.left, ...to.right];
      const at2 = (n) => d[n] ? pointer(d[n]) : binding.null;
      check(
        "joinedGradient",
        abi.xt_joined_gradient(
          ...joinedArguments(plan, out),
          pointer(out),
          pointer(dout),
          at2(0),
          at2(1),
          at2(2),
          at2(3),
          at2(4),
          at2(5),
          at2(6),
          at2(7)
        )
      );
    },
    ...abiFolds(binding, context, check),
    outer(xi, x, y, out) {
      check(
        "outer",
        abi.xt_outer(
          context,
          DTYPE_ID[x.dtype],
          XI[xi].id,
          x.length,
          y.length,
          pointer(x),
          pointer(y),
          pointer(out)
        )
      );
    },
    matmul(M2, N, K, A2, B, C, accumulate) {
      check(
        "matmul",
        abi.xt_matmul(
          context,
          DTYPE_ID[A2.data.dtype],
          M2,
          N,
          K,
          pointer(A2.data),
          A2.rowStride,
          A2.colStride,
          pointer(B.data),
          B.rowStride,
          B.colStride,
          pointer(C.data),
          C.rowStride,
          Number(accumulate)
        )
      );
    },
    activate(activation, rows, cols, bias, z) {
      const id = ACTIVATION_ID[activation];
      check(
        "activate",
        abi.xt_activate(context, DTYPE_ID[z.dtype], id, rows, cols, pointer(bias), pointer(z))
      );
    },
    activateGradient(activation, rows, cols, y, dy, dbias) {
      const id = ACTIVATION_ID[activation];
      check(
        "activateGradient",
        abi.xt_activate_gradient(
          context,
          DTYPE_ID[y.dtype],
          id,
          rows,
          cols,
          pointer(y),
          pointer(dy),
          pointer(dbias)
        )
      );
    },
    embed(rows, M2, N, tokens, A2, z) {
      const words = binding.words(tokens);
      check("embed", abi.xt_embed(context, DTYPE_ID[A2.dtype], rows, M2, N, words, pointer(A2), pointer(z)));
    },
    embedGradient(rows, M2, N, tokens, dz, dA) {
      const words = binding.words(tokens);
      const [dtype, from, to] = [DTYPE_ID[dA.dtype], pointer(dz), pointer(dA)];
      check("embedGradient", abi.xt_embed_gradient(context, dtype, rows, M2, N, words, from, to));
    },
    loss(loss, rows, outputs, scores, answers, dScores) {
      const classes = answers instanceof Int32Array;
      check(
        "loss",
        abi.xt_loss(
          context,
          DTYPE_ID[scores.dtype],
          LOSS_ID[loss],
          rows,
          outputs,
          pointer(scores),
          classes ? binding.words(answers) : binding.noWords,
          classes ? binding.null : pointer(answers),
          dScores ? pointer(dScores) : binding.null,
          result.pointer
        )
      );
      const [sum, correct] = result.read();
      return { loss: sum, correct };
    },
    adam(p, g, m2, v, o) {
      check(
        "adam",
        abi.xt_adam(
          context,
          DTYPE_ID[p.dtype],
          p.length,
          pointer(p),
          pointer(g),
          pointer(m2),
          pointer(v),
          o.rate,
          o.beta1,
          o.beta2,
          o.epsilon,
          o.correction1,
          o.correction2,
          o.scale,
          o.decay
        )
      );
    },
    sumSquares(x) {
      check(
        "sumSquares",
        abi.xt_sum_squares(context, DTYPE_ID[x.dtype], x.length, pointer(x), result.pointer)
      );
      return result.read()[0];
    },
    ...abiLinearAlgebra(binding, context, check),
    peak(dtype, repetitions) {
      check("peak", abi.xt_peak(context, DTYPE_ID[dtype], repetitions, result.pointer));
      return result.read()[0];
    }
  };
}
var encoded = /* @__PURE__ */ new WeakMap();
function wordsOf(plan) {
  let words = encoded.get(plan);
  if (!words) {
    const { batch, rows, columns, terms, left, right } = plan;
    words = Int32Array.from([
      ...[batch, rows, columns, terms, left, right].map((list) => list.length),
      ...[batch, rows, columns, terms].flat(),
      ...[...left, ...right].flatMap((operand) => operand.strides),
      ...plan.outStrides
    ]);
    encoded.set(plan, words);
  }
  return words;
}
function check(kernel, status) {
  if (status === STATUS_ID.ok) return;
  if (status === STATUS_ID.memory)
    throw new XiError("E_MEMORY", `${kernel}: no memory for its packed blocks`);
  if (status === STATUS_ID.isa)
    throw new XiError("E_BACKEND", `${kernel}: this processor cannot run the instruction set`);
  if (status === STATUS_ID.numeric)
    throw mismatch("E_NUMERIC", `${kernel} A`, "finite values", "a NaN or an infinity");
  if (status === STATUS_ID.convergence)
    throw new XiError("E_NUMERIC", `${kernel}: the iteration on the bidiagonal form did not converge`);
  throw new XiError("E_ARGUMENT", `${kernel}: the binary refused its arguments (status ${status})`);
}

// src/backend/checks_sizes.ts
function counts(kernel, sizes) {
  for (const name in sizes) {
    const size = sizes[name];
    if (!Number.isSafeInteger(size) || size < 0)
      throw mismatch("E_SHAPE", `${kernel} ${name}`, "a non-negative integer", size);
  }
}
function sameDtype(kernel, dtype) {
  return (name, storage, length, atLeast = false) => {
    if (storage.dtype !== dtype) throw mismatch("E_DTYPE", `${kernel} ${name}`, dtype, storage.dtype);
    if (atLeast ? storage.length < length : storage.length !== length) {
      throw mismatch(
        "E_SHAPE",
        `${kernel} ${name}`,
        `${atLeast ? "at least " : ""}${length} elements`,
        storage.length
      );
    }
  };
}

// src/backend/checks_folds.ts
function checkedFolds(kernels2) {
  return {
    fold(xi, steps, count, z, out) {
      oneOf("xi", xi, XI_NAMES);
      counts("fold", { steps, count });
      const expect = sameDtype("fold", z.dtype);
      expect("z", z, steps * count);
      expect("out", out, count);
      kernels2.fold(xi, steps, count, z, out);
    },
    foldGradient(xi, steps, count, z, dout, dz) {
      oneOf("xi", xi, XI_NAMES);
      counts("foldGradient", { steps, count });
      const expect = sameDtype("foldGradient", z.dtype);
      expect("z", z, steps * count);
      expect("dout", dout, count);
      expect("dz", dz, steps * count);
      kernels2.foldGradient(xi, steps, count, z, dout, dz);
    },
    projectFold(xi, sizes, f, v, to) {
      const { steps, B, R, M: M2 } = sizes;
      const { sum, s, winners } = to;
      oneOf("xi", xi, XI_NAMES);
      counts("projectFold", sizes);
      const expect = sameDtype("projectFold", f.data.dtype);
      expect("f", f.data, extentOf("projectFold f", f, steps, B, M2), true);
      expect("v", v.data, extentOf("projectFold v", v, steps, R, M2), true);
      if (sum) {
        counts("projectFold", { K: sum.K });
        expect("lambda", sum.lambda, R * sum.K);
        expect("scores", sum.scores, B * sum.K);
      }
      if (s) expect("s", s, B * R);
      if (winners) {
        if (XI[xi].bound !== "pieces")
          throw mismatch("E_ARGUMENT", "projectFold winners", "rectifier, max or min, which select", xi);
        expect("winners", winners, B * R);
      }
      kernels2.projectFold(xi, sizes, f, v, to);
    },
    winnerSums(sizes, winners, d, transposed2, x, out) {
      const { steps, P, Q, M: M2 } = sizes;
      counts("winnerSums", sizes);
      const expect = sameDtype("winnerSums", d.dtype);
      expect("winners", winners, P * Q);
      expect("d", d, P * Q);
      expect("x", x.data, extentOf("winnerSums x", x, steps, Q, M2), true);
      expect("out", out.data, extentOf("winnerSums out", out, steps, P, M2), true);
      kernels2.winnerSums(sizes, winners, d, transposed2, x, out);
    }
  };
}
function extentOf(where, { row, step }, steps, rows, M2) {
  counts(where, { row, step });
  return steps === 0 || rows === 0 || M2 === 0 ? 0 : (steps - 1) * step + (rows - 1) * row + M2;
}

// src/backend/checks_joined.ts
function checkedJoined(kernels2) {
  return {
    joined(plan, out, arg) {
      checkPlan("joined", plan, out);
      if (arg) {
        if (plan.reduce !== "max" && plan.reduce !== "min")
          throw mismatch("E_ARGUMENT", "joined arg", "a reduction with a winner, max or min", plan.reduce);
        checkOut("joined arg", plan, arg, "float64");
      }
      kernels2.joined(plan, out, arg);
    },
    joinedGradient(plan, out, dout, to) {
      checkPlan("joinedGradient", plan, out);
      if (plan.reduce !== "sum" && plan.reduce !== "logsumexp")
        throw mismatch("E_ARGUMENT", "joinedGradient reduce", "sum or logsumexp", plan.reduce);
      checkOut("joinedGradient dout", plan, dout, out.dtype);
      checkTargets("left", plan.left, to.left);
      checkTargets("right", plan.right, to.right);
      kernels2.joinedGradient(plan, out, dout, to);
    }
  };
}
function checkPlan(kernel, plan, out) {
  const { batch, rows, columns, terms, left, right } = plan;
  oneOf("xi", plan.xi, XI_NAMES);
  oneOf("combine", plan.combine, XI_NAMES);
  oneOf("reduce", plan.reduce, REDUCTIONS);
  if (left.length < 1 || left.length > MAX_JOINED || right.length > MAX_JOINED) {
    const rule = `1 to ${MAX_JOINED} operands on the left and at most as many on the right`;
    throw mismatch("E_ARGUMENT", kernel, rule, [left.length, right.length]);
  }
  const axes = batch.length + rows.length + columns.length;
  if (axes > MAX_AXES || terms.length > MAX_AXES)
    throw mismatch("E_ARGUMENT", kernel, `at most ${MAX_AXES} axes of out and of terms`, [
      axes,
      terms.length
    ]);
  if (right.length === 0 && columns.length > 0)
    throw mismatch("E_SHAPE", `${kernel} columns`, "none without a right side", columns);
  for (let n = 0; n < left.length; n++)
    checkOperand(`${kernel} left ${n}`, left[n], batch, rows, terms, out.dtype);
  for (let n = 0; n < right.length; n++)
    checkOperand(`${kernel} right ${n}`, right[n], batch, columns, terms, out.dtype);
  checkOut(`${kernel} out`, plan, out, out.dtype);
}
function checkOperand(where, { data: data2, strides }, batch, own, terms, dtype) {
  if (data2.dtype !== dtype) throw mismatch("E_DTYPE", where, dtype, data2.dtype);
  if (strides.length !== batch.length + own.length + terms.length) {
    const rule = `strides of ${batch.length} + ${own.length} + ${terms.length} axes`;
    throw mismatch("E_SHAPE", where, rule, strides);
  }
  const reach = new Reach(where);
  reach.add(batch, strides, 0);
  reach.add(own, strides, batch.length);
  reach.add(terms, strides, batch.length + own.length);
  reach.check(data2);
}
function checkOut(where, plan, out, dtype) {
  const { batch, rows, columns, outStrides } = plan;
  if (out.dtype !== dtype) throw mismatch("E_DTYPE", where, dtype, out.dtype);
  const axes = batch.length + rows.length + columns.length;
  if (outStrides.length !== axes) throw mismatch("E_SHAPE", where, `strides of ${axes} axes`, outStrides);
  const reach = new Reach(where);
  reach.add(batch, outStrides, 0);
  reach.add(rows, outStrides, batch.length);
  reach.add(columns, outStrides, batch.length + rows.length);
  reach.check(out);
  if (axes > 1 || axes === 1 && outStrides[0] === 0)
    checkApart(where, [...batch, ...rows, ...columns], outStrides);
}
var Reach = class {
  where;
  last = 0;
  empty = false;
  constructor(where) {
    this.where = where;
  }
  add(extents, strides, from) {
    for (let axis = 0; axis < extents.length; axis++) {
      const extent = extents[axis];
      const stride = strides[from + axis];
      if (!(Number.isSafeInteger(extent) && extent >= 0 && Number.isSafeInteger(stride) && stride >= 0)) {
        throw mismatch("E_SHAPE", this.where, "non-negative integer extents and strides", [extent, stride]);
      }
      if (extent === 0) this.empty = true;
      else this.last += (extent - 1) * stride;
    }
  }
  check(data2) {
    if (this.empty || this.last < data2.length) return;
    throw mismatch("E_SHAPE", this.where, `at least ${this.last + 1} elements`, data2.length);
  }
};
function checkApart(where, extents, strides) {
  const axes = extents.map((extent, axis) => ({ extent, stride: strides[axis] })).filter(({ extent }) => extent > 1);
  axes.sort((p, q) => p.stride - q.stride);
  let reached = 0;
  for (const { extent, stride } of axes) {
    if (stride <= reached) throw mismatch("E_SHAPE", where, "strides that keep elements apart", strides);
    reached += (extent - 1) * stride;
  }
}
function checkTargets(side, operands, targets) {
  const where = `joinedGradient ${side} gradients`;
  if (targets.length !== operands.length)
    throw mismatch("E_SHAPE", where, `${operands.length} storages or null`, targets);
  targets.forEach((target, n) => {
    const { data: data2 } = operands[n];
    if (!target) return;
    if (target.dtype !== data2.dtype) throw mismatch("E_DTYPE", where, data2.dtype, target.dtype);
    if (target.length !== data2.length)
      throw mismatch("E_SHAPE", where, `${data2.length} elements`, target.length);
  });
}

// src/backend/checks_linalg.ts
function checkedLinearAlgebra(kernels2) {
  const behind = (name, call) => (rows, cols, A2, ...rest) => {
    checkMatrix(name, rows, cols, A2);
    return call(rows, cols, A2, ...rest);
  };
  return {
    singularValues: behind("singularValues", kernels2.singularValues),
    svd: behind("svd", kernels2.svd),
    leftSvd: behind("leftSvd", kernels2.leftSvd),
    qr: behind("qr", kernels2.qr),
    triangle: behind("triangle", kernels2.triangle),
    exceeds: behind("exceeds", (rows, cols, A2, bound) => {
      if (!(bound >= 0 && bound < Number.POSITIVE_INFINITY))
        throw mismatch("E_ARGUMENT", "exceeds bound", "a non-negative number", bound);
      return kernels2.exceeds(rows, cols, A2, bound);
    }),
    certifiedRank: behind("certifiedRank", (rows, cols, A2, tolerance) => {
      if (!(tolerance >= 0 && tolerance < 1))
        throw mismatch("E_ARGUMENT", "certifiedRank tolerance", "a number from 0 and below 1", tolerance);
      return kernels2.certifiedRank(rows, cols, A2, tolerance);
    }),
    rankModulo: behind("rankModulo", (rows, cols, A2, prime) => {
      if (!isPrime(integer("rankModulo prime", prime, 2, MAX_PRIME)))
        throw mismatch("E_ARGUMENT", "rankModulo prime", "a prime", prime);
      return kernels2.rankModulo(rows, cols, A2, prime);
    })
  };
}
function checkMatrix(kernel, rows, cols, A2) {
  for (const size of [rows, cols]) {
    if (!Number.isSafeInteger(size) || size < 0)
      throw mismatch("E_SHAPE", `${kernel} rows and cols`, "non-negative integers", [rows, cols]);
  }
  if (A2.dtype !== "float64") throw mismatch("E_DTYPE", `${kernel} A`, "float64", A2.dtype);
  if (A2.length !== rows * cols) {
    throw new XiError("E_SHAPE", `${kernel} A: expected ${rows} \xD7 ${cols} elements, received ${A2.length}`);
  }
}
function isPrime(value) {
  for (let divisor = 2; divisor * divisor <= value; divisor++) {
    if (value % divisor === 0) return false;
  }
  return true;
}

// src/backend/checks.ts
function checked(kernels2) {
  const packed = /* @__PURE__ */ new WeakSet();
  return {
    contract(xi, sizes, a, h, G, out, precision) {
      const { B, L: L2, R, K } = sizes;
      oneOf("xi", xi, XI_NAMES);
      if (precision !== void 0) precisionOf("contract", precision, a.dtype);
      counts("contract", sizes);
      const expect = sameDtype("contract", a.dtype);
      expect("a", a, B * L2);
      expect("h", h, B * R);
      expect("G", G, L2 * R * K);
      expect("out", out, B * K);
      kernels2.contract(xi, sizes, a, h, G, out, precision);
    },
    packWeights(L2, R, K, G, precision) {
      if (precision !== void 0) precisionOf("packWeights", precision, G.dtype);
      counts("packWeights", { L: L2, R, K });
      sameDtype("packWeights", G.dtype)("G", G, L2 * R * K);
      const weights = kernels2.packWeights(L2, R, K, G, precision);
      packed.add(weights);
      return weights;
    },
    contractPacked(xi, B, a, h, weights, out) {
      oneOf("xi", xi, XI_NAMES);
      counts("contractPacked", { B });
      if (!packed.has(weights))
        throw mismatch("E_ARGUMENT", "contractPacked", "weights that this backend packed", weights);
      const expect = sameDtype("contractPacked", a.dtype);
      expect("packed", weights.values, weights.values.length);
      expect("a", a, B * weights.L);
      expect("h", h, B * weights.R);
      expect("out", out, B * weights.K);
      kernels2.contractPacked(xi, B, a, h, weights, out);
    },
    contractGradient(xi, sizes, from, to, accumulate) {
      const { B, L: L2, R, K } = sizes;
      oneOf("xi", xi, XI_NAMES);
      counts("contractGradient", sizes);
      const expect = sameDtype("contractGradient", from.a.dtype);
      expect("a", from.a, B * L2);
      expect("h", from.h, B * R);
      expect("G", from.G, L2 * R * K);
      expect("dout", from.dout, B * K);
      expect("da", to.da, B * L2);
      expect("dh", to.dh, B * R);
      expect("dG", to.dG, L2 * R * K);
      kernels2.contractGradient(xi, sizes, from, to, accumulate);
    },
    ...checkedJoined(kernels2),
    contractGrid(xi, sizes, a, h, G, out) {
      const { P, M: M2, L: L2, R, K } = sizes;
      oneOf("xi", xi, XI_NAMES);
      counts("contractGrid", sizes);
      const expect = sameDtype("contractGrid", a.dtype);
      expect("a", a, M2 * L2);
      expect("h", h, P * R);
      expect("G", G, L2 * R * K);
      expect("out", out, P * M2 * K);
      kernels2.contractGrid(xi, sizes, a, h, G, out);
    },
    ...checkedFolds(kernels2),
    outer(xi, x, y, out) {
      oneOf("xi", xi, XI_NAMES);
      const expect = sameDtype("outer", x.dtype);
      expect("y", y, y.length);
      expect("out", out, x.length * y.length);
      kernels2.outer(xi, x, y, out);
    },
    matmul(M2, N, K, A2, B, C, accumulate) {
      const expect = sameDtype("matmul", A2.data.dtype);
      expect("A", A2.data, extentOf2("A", A2, M2, K), true);
      expect("B", B.data, extentOf2("B", B, K, N), true);
      expect("C", C.data, extentOf2("C", C, M2, N), true);
      if (C.colStride !== 1 || M2 > 1 && C.rowStride < N) {
        throw mismatch("E_SHAPE", "matmul C", `dense rows of ${N} that do not overlap`, [
          C.rowStride,
          C.colStride
        ]);
      }
      kernels2.matmul(M2, N, K, A2, B, C, accumulate);
    },
    activate(activation, rows, cols, bias, z) {
      oneOf("activation", activation, ACTIVATIONS);
      counts("activate", { rows, cols });
      const expect = sameDtype("activate", z.dtype);
      expect("bias", bias, cols);
      expect("z", z, rows * cols);
      kernels2.activate(activation, rows, cols, bias, z);
    },
    activateGradient(activation, rows, cols, y, dy, dbias) {
      oneOf("activation", activation, ACTIVATIONS);
      counts("activateGradient", { rows, cols });
      const expect = sameDtype("activateGradient", y.dtype);
      expect("y", y, rows * cols);
      expect("dy", dy, rows * cols);
      expect("dbias", dbias, cols);
      kernels2.activateGradient(activation, rows, cols, y, dy, dbias);
    },
    embed(rows, M2, N, tokens, A2, z) {
      counts("embed", { rows, M: M2, N });
      indices("embed", tokens, rows, N);
      const expect = sameDtype("embed", A2.dtype);
      expect("A", A2, M2 * N);
      expect("z", z, rows * M2);
      kernels2.embed(rows, M2, N, tokens, A2, z);
    },
    embedGradient(rows, M2, N, tokens, dz, dA) {
      counts("embedGradient", { rows, M: M2, N });
      indices("embedGradient", tokens, rows, N);
      const expect = sameDtype("embedGradient", dz.dtype);
      expect("dz", dz, rows * M2);
      expect("dA", dA, M2 * N);
      kernels2.embedGradient(rows, M2, N, tokens, dz, dA);
    },
    loss(loss, rows, outputs, scores, answers, dScores) {
      oneOf("loss", loss, LOSSES);
      counts("loss", { rows, outputs });
      const expect = sameDtype("loss", scores.dtype);
      expect("scores", scores, rows * outputs);
      if (dScores) expect("dScores", dScores, rows * outputs);
      if (answers instanceof Int32Array) indices("loss", answers, rows, outputs);
      else if (loss === "mse") expect("targets", answers, rows * outputs);
      else throw mismatch("E_DTYPE", "loss softmax", "an Int32Array of classes", answers);
      return kernels2.loss(loss, rows, outputs, scores, answers, dScores);
    },
    adam(p, g, m2, v, options) {
      const expect = sameDtype("adam", p.dtype);
      expect("g", g, p.length);
      expect("m", m2, p.length);
      expect("v", v, p.length);
      kernels2.adam(p, g, m2, v, options);
    },
    ...checkedLinearAlgebra(kernels2),
    sumSquares: (x) => kernels2.sumSquares(x),
    peak: (dtype, repetitions) => kernels2.peak(dtype, repetitions)
  };
}
function precisionOf(where, precision, dtype) {
  oneOf("precision", precision, PRECISIONS);
  if (precision !== "float32" && dtype !== "float32")
    throw mismatch("E_DTYPE", `${where} at precision ${precision}`, "float32 operands", dtype);
  return precision;
}
function indices(kernel, list, rows, bound) {
  if (!(list instanceof Int32Array)) throw mismatch("E_DTYPE", kernel, "an Int32Array", list);
  if (list.length !== rows) throw mismatch("E_SHAPE", kernel, `${rows} indices`, list.length);
  const bad = list.findIndex((index) => index < 0 || index >= bound);
  if (bad >= 0)
    throw mismatch("E_ARGUMENT", `${kernel} index ${bad}`, `an index from 0 to ${bound - 1}`, list[bad]);
}
function extentOf2(name, view, rows, cols) {
  for (const n of [rows, cols, view.rowStride, view.colStride]) {
    if (!Number.isSafeInteger(n) || n < 0) {
      throw new XiError(
        "E_SHAPE",
        `matmul ${name}: expected non-negative integer sizes and strides, received ${n}`
      );
    }
  }
  return rows === 0 || cols === 0 ? 0 : (rows - 1) * view.rowStride + (cols - 1) * view.colStride + 1;
}

// src/core/tensor.ts
var MAX_ELEMENTS = 2 ** 31 - 1;
function elementCount(shape, where = "shape") {
  let count = 1;
  for (const extent of shape) {
    if (!Number.isInteger(extent) || extent < 0) {
      throw mismatch("E_SHAPE", where, "non-negative integers", shape);
    }
    count *= extent;
  }
  if (shape.includes(0)) return 0;
  if (count > MAX_ELEMENTS) throw mismatch("E_MEMORY", where, `at most ${MAX_ELEMENTS} elements`, shape);
  return count;
}
function allocate(dtype, length) {
  try {
    return dtype === "float32" ? new Float32Array(length) : new Float64Array(length);
  } catch (cause) {
    throw new XiError("E_MEMORY", `cannot allocate ${length} elements of ${dtype}`, { cause });
  }
}
function dtypeOf(data2, where = "tensor") {
  if (data2 instanceof Float32Array) return "float32";
  if (data2 instanceof Float64Array) return "float64";
  throw mismatch("E_DTYPE", where, "a Float32Array or Float64Array", data2);
}
function checkFinite(where, data2) {
  for (let n = 0; n < data2.length; n++) {
    if (!Number.isFinite(data2[n])) {
      throw new XiError("E_NUMERIC", `${where}: expected finite values, received ${data2[n]} at element ${n}`);
    }
  }
}

// src/backend/storage.ts
var ArrayStorage = class _ArrayStorage {
  dtype;
  data;
  constructor(dtype, data2) {
    this.dtype = dtype;
    this.data = typeof data2 === "number" ? allocate(dtype, checkLength(data2)) : data2;
  }
  get length() {
    return this.data.length;
  }
  at(offset, length = this.length - offset) {
    checkPart(offset, length, this.length);
    return new _ArrayStorage(this.dtype, this.data.subarray(offset, offset + length));
  }
  read() {
    return this.data.slice();
  }
  take() {
    return this.data;
  }
  write(values) {
    checkSame(values.length, this.length);
    this.data.set(values);
  }
  fill(value) {
    this.data.fill(value);
  }
  /** The heap looks after itself, even in the middle of a synchronous loop, once nothing refers to the values. */
  release() {
    this.data = RELEASED[this.dtype];
  }
};
var RELEASED = { float32: new Float32Array(0), float64: new Float64Array(0) };
function adoptArray(values) {
  return new ArrayStorage(dtypeOf(values), values);
}
function arrayOf(storage) {
  if (storage instanceof ArrayStorage) return storage.data;
  throw mismatch("E_BACKEND", "storage", "storage that this backend allocated", storage.constructor.name);
}
function checkLength(length) {
  if (!isCount(length)) throw mismatch("E_SHAPE", "storage", "a non-negative number of elements", length);
  return length;
}
var isCount = (value) => Number.isSafeInteger(value) && value >= 0;
function checkPart(offset, length, whole) {
  if (!(isCount(offset) && isCount(length) && offset + length <= whole)) {
    throw mismatch("E_SHAPE", "part of a storage", `a range within ${whole} elements`, [
      offset,
      offset + length
    ]);
  }
}
function checkSame(received, expected) {
  if (received !== expected) throw mismatch("E_SHAPE", "write to a storage", `${expected} values`, received);
}
function borrowing(work) {
  const borrowed = [];
  try {
    return work((storage) => {
      borrowed.push(storage);
      return storage;
    });
  } finally {
    for (const storage of borrowed) storage.release();
  }
}

// src/backend/native.ts
var FILE = `prebuilds/${process.platform}-${process.arch}/xitensor.node`;
function probeNative() {
  const path = fileURLToPath(new URL(`../../${FILE}`, import.meta.url));
  const refuse = (reason) => ({ name: "native", usable: false, source: FILE, reason });
  if (!existsSync(path)) {
    return refuse(`there is no binary for ${process.platform}-${process.arch} (${FILE} is missing)`);
  }
  let addon;
  try {
    const missing = missingBytes(path);
    if (missing > 0) return refuse(`the binary is truncated: ${missing} bytes are missing at its end`);
    addon = createRequire(import.meta.url)(path);
  } catch (cause) {
    return refuse(`the binary cannot be loaded: ${cause.message}`);
  }
  if (typeof addon.xt_describe !== "function") return refuse("the binary is not an xitensor addon");
  const description = describeBinary(addon.xt_describe());
  if (typeof description === "string") return refuse(`the binary is ${description}`);
  const two = new Float64Array(2);
  const binding = {
    abi: addon,
    null: null,
    allocate: (dtype, length) => new ArrayStorage(dtype, length),
    pointer: (storage) => arrayOf(storage),
    words: (list) => list,
    noWords: null,
    result: { pointer: two, read: () => [two[0], two[1]] }
  };
  return {
    name: "native",
    usable: true,
    source: FILE,
    isas: description.isas,
    open: (isa, threads2) => ({
      name: "native",
      isa: isa.name,
      threads: threads2,
      tiles: isa.tiles ?? {},
      allocate: (dtype, length) => populated(addon, new ArrayStorage(dtype, length)),
      adopt: adoptArray,
      ...checked(abiKernels(binding, isa, threads2))
    })
  };
}
var POPULATED_BYTES = 2 ** 17;
function populated(addon, storage) {
  const { data: data2 } = storage;
  if (data2.byteLength >= POPULATED_BYTES) addon.xt_populate(data2, data2.byteLength);
  return storage;
}
function missingBytes(path) {
  const file = openSync(path, "r");
  try {
    const header = Buffer.alloc(64);
    const isElf64 = readSync(file, header) === 64 && header.readUInt32BE(0) === 2135247942 && header[4] === 2;
    if (!isElf64) return 0;
    const end = Number(header.readBigUInt64LE(40)) + header.readUInt16LE(58) * header.readUInt16LE(60);
    return end - fstatSync(file).size;
  } finally {
    closeSync(file);
  }
}

// src/backend/reference_folds.ts
var foldKernels = {
  fold(xi, steps, count, zIn, outIn) {
    const [z, out] = [zIn, outIn].map(arrayOf);
    for (let n = 0; n < count; n++) out[n] = foldStates(XI[xi], z, steps, count, n)[steps];
  },
  foldGradient(xi, steps, count, zIn, doutIn, dzIn) {
    const [z, dout, dz] = [zIn, doutIn, dzIn].map(arrayOf);
    const row = XI[xi];
    for (let n = 0; n < count; n++) {
      const states2 = foldStates(row, z, steps, count, n);
      let gradient = dout[n];
      for (let t2 = steps - 1; t2 >= 0; t2--) {
        const operand = z[t2 * count + n];
        dz[t2 * count + n] = gradient * row.dy(states2[t2], operand);
        gradient *= row.dx(states2[t2], operand);
      }
    }
  },
  projectFold(xi, { steps, B, R, M: M2 }, f, v, to) {
    const { unit, value, dx, dy } = XI[xi];
    const [s, winners] = [to.s, to.winners].map((storage) => storage && arrayOf(storage));
    const [fs, vs] = [f.data, v.data].map(arrayOf);
    const K = to.sum?.K ?? 0;
    const [lambda, scores] = to.sum ? [to.sum.lambda, to.sum.scores].map(arrayOf) : [];
    const sums = new Float64Array(K);
    for (let b = 0; b < B; b++) {
      sums.fill(0);
      for (let r = 0; r < R; r++) {
        let state = unit;
        let winner = -1;
        for (let t2 = 0; t2 < steps; t2++) {
          const z = dot(fs, at(f, t2, b), vs, at(v, t2, r), M2);
          if (dx(state, z) === 0) winner = -1;
          if (dy(state, z) !== 0) winner = t2;
          state = value(state, z);
        }
        if (s) s[b * R + r] = state;
        if (winners) winners[b * R + r] = winner;
        for (let k = 0; k < K; k++) sums[k] += state * lambda[r * K + k];
      }
      scores?.set(sums, b * K);
    }
  },
  winnerSums({ steps, P, Q, M: M2 }, winnersIn, dIn, transposed2, x, out) {
    const [winners, d, xs, to] = [winnersIn, dIn, x.data, out.data].map(arrayOf);
    const strange = winners.find((winner) => !(winner >= -1 && winner < steps));
    if (strange !== void 0)
      throw mismatch("E_ARGUMENT", "winnerSums winners", `steps from 0 to ${steps - 1}, or -1`, strange);
    const sums = new Float64Array(steps * M2);
    for (let p = 0; p < P; p++) {
      sums.fill(0);
      for (let q = 0; q < Q; q++) {
        const pair = transposed2 ? q * P + p : p * Q + q;
        const winner = winners[pair];
        if (winner < 0) continue;
        for (let m2 = 0; m2 < M2; m2++) sums[winner * M2 + m2] += d[pair] * xs[at(x, winner, q) + m2];
      }
      for (let t2 = 0; t2 < steps; t2++) {
        for (let m2 = 0; m2 < M2; m2++) to[at(out, t2, p) + m2] += sums[t2 * M2 + m2];
      }
    }
  }
};
var at = ({ row, step }, t2, n) => t2 * step + n * row;
function dot(x, fromX, y, fromY, count) {
  let sum = 0;
  for (let n = 0; n < count; n++) sum += x[fromX + n] * y[fromY + n];
  return sum;
}
function foldStates(row, z, steps, count, n) {
  const states2 = new Float64Array(steps + 1);
  states2[0] = row.unit;
  for (let t2 = 0; t2 < steps; t2++) states2[t2 + 1] = row.value(states2[t2], z[t2 * count + n]);
  return states2;
}

// src/backend/reference_joined.ts
var joinedKernels = {
  joined(plan, outIn, argIn) {
    const [out, arg] = [arrayOf(outIn), argIn && arrayOf(argIn)];
    const terms = termsOf(plan);
    const values = new Float64Array(terms.count);
    forEachOutput(plan, (at2, left, right) => {
      for (let s = 0; s < values.length; s++) values[s] = terms.value(left, right, s);
      const { value, winner } = REDUCE[plan.reduce](values);
      out[at2] = value;
      if (arg) arg[at2] = winner;
    });
  },
  joinedGradient(plan, outIn, doutIn, to) {
    const [out, dout] = [outIn, doutIn].map(arrayOf);
    const terms = termsOf(plan, to);
    forEachOutput(plan, (at2, left, right) => {
      for (let s = 0; s < terms.count; s++) {
        let weight = dout[at2];
        if (plan.reduce === "logsumexp") {
          const distance = terms.value(left, right, s) - out[at2];
          weight *= Number.isNaN(distance) ? 0 : Math.exp(distance);
        }
        terms.spread(left, right, s, weight);
      }
    });
    terms.flush();
  }
};
var REDUCE = {
  sum(values) {
    let value = 0;
    for (const term of values) value += term;
    return { value, winner: -1 };
  },
  max: (values) => first(values, Number.NEGATIVE_INFINITY, (term, best) => term > best),
  min: (values) => first(values, Number.POSITIVE_INFINITY, (term, best) => term < best),
  logsumexp(values) {
    const { value: top } = first(values, Number.NEGATIVE_INFINITY, (term, best) => term > best);
    if (!Number.isFinite(top)) return { value: top, winner: -1 };
    let sum = 0;
    for (const term of values) sum += Math.exp(term - top);
    return { value: top + Math.log(sum), winner: -1 };
  }
};
function first(values, neutral, beats2) {
  let [value, winner] = [neutral, values.length > 0 ? 0 : -1];
  for (let s = 0; s < values.length; s++) {
    if (Number.isNaN(values[s])) return { value: Number.NaN, winner: s };
    if (s === 0 || beats2(values[s], value)) [value, winner] = [values[s], s];
  }
  return { value, winner };
}
function offsets(extents, strides) {
  let places = Float64Array.of(0);
  extents.forEach((extent, axis) => {
    places = Float64Array.from(
      { length: places.length * extent },
      (_, n) => places[Math.floor(n / extent)] + n % extent * strides[axis]
    );
  });
  return places;
}
function forEachOutput(plan, visit) {
  const { batch, rows, columns, left, right, outStrides } = plan;
  const [nb, nr] = [batch.length, rows.length];
  const out = {
    g: offsets(batch, outStrides.slice(0, nb)),
    m: offsets(rows, outStrides.slice(nb, nb + nr)),
    n: offsets(columns, outStrides.slice(nb + nr))
  };
  const walk = (side, extents) => side.map(({ strides }) => ({
    g: offsets(batch, strides.slice(0, nb)),
    own: offsets(extents, strides.slice(nb, nb + extents.length))
  }));
  const [lefts, rights] = [walk(left, rows), walk(right, columns)];
  for (let g = 0; g < out.g.length; g++) {
    for (let m2 = 0; m2 < out.m.length; m2++) {
      const leftAt = lefts.map((operand) => operand.g[g] + operand.own[m2]);
      for (let n = 0; n < out.n.length; n++) {
        visit(
          out.g[g] + out.m[m2] + out.n[n],
          leftAt,
          rights.map((operand) => operand.g[g] + operand.own[n])
        );
      }
    }
  }
}
function termsOf(plan, to) {
  const { terms, xi, combine, fromUnit } = plan;
  const sideOf = (operands, targets) => ({
    data: operands.map(({ data: data2 }) => arrayOf(data2)),
    sums: operands.map(({ data: data2 }, n) => targets[n] ? new Float64Array(data2.length) : null),
    term: operands.map(({ strides }) => offsets(terms, strides.slice(strides.length - terms.length)))
  });
  const left = sideOf(plan.left, to?.left ?? []);
  const right = sideOf(plan.right, to?.right ?? []);
  const count = terms.reduce((product, extent) => product * extent, 1);
  const operator = XI[xi];
  const join = XI[combine];
  const both = right.data.length > 0;
  const foldOf = (side, at2, s, unit) => {
    const first2 = side.data[0][at2[0] + side.term[0][s]];
    let state = unit ? operator.value(operator.unit, first2) : first2;
    for (let n = 1; n < at2.length; n++) state = operator.value(state, side.data[n][at2[n] + side.term[n][s]]);
    return state;
  };
  const flushSide = (side, targets) => side.sums.forEach((sums, n) => {
    const target = targets[n];
    if (!sums || !target) return;
    const array = arrayOf(target);
    for (let k = 0; k < sums.length; k++) array[k] += sums[k];
  });
  return {
    count,
    value(leftAt, rightAt, s) {
      const x = foldOf(left, leftAt, s, fromUnit);
      return both ? join.value(x, foldOf(right, rightAt, s, false)) : x;
    },
    spread(leftAt, rightAt, s, weight) {
      if (!both) {
        spreadSide(operator, left, leftAt, s, fromUnit, weight);
        return;
      }
      const [x, y] = [foldOf(left, leftAt, s, fromUnit), foldOf(right, rightAt, s, false)];
      spreadSide(operator, left, leftAt, s, fromUnit, weight * join.dx(x, y));
      spreadSide(operator, right, rightAt, s, false, weight * join.dy(x, y));
    },
    flush() {
      flushSide(left, to?.left ?? []);
      flushSide(right, to?.right ?? []);
    }
  };
}
function states({ unit, value }, side, at2, s, fromUnit) {
  const z = side.data.map((data2, n) => data2[at2[n] + side.term[n][s]]);
  const all = [fromUnit ? value(unit, z[0]) : z[0]];
  for (let n = 1; n < z.length; n++) all.push(value(all[n - 1], z[n]));
  return all;
}
function spreadSide(operator, side, at2, s, fromUnit, weight) {
  const folded = states(operator, side, at2, s, fromUnit);
  let gradient = weight;
  for (let n = folded.length - 1; n >= 0; n--) {
    const place = at2[n] + side.term[n][s];
    const z = side.data[n][place];
    const sums = side.sums[n];
    let own = gradient;
    if (n > 0) {
      own = gradient * operator.dy(folded[n - 1], z);
      gradient *= operator.dx(folded[n - 1], z);
    } else if (fromUnit) own = gradient * operator.dy(operator.unit, z);
    if (sums) sums[place] += own;
  }
}

// src/backend/reference_learning.ts
var learningKernels = {
  embed(rows, M2, N, tokens, AIn, zIn) {
    const [A2, z] = [AIn, zIn].map(arrayOf);
    for (let r = 0; r < rows; r++) {
      for (let m2 = 0; m2 < M2; m2++) z[r * M2 + m2] = A2[m2 * N + tokens[r]];
    }
  },
  embedGradient(rows, M2, N, tokens, dzIn, dA) {
    const dz = arrayOf(dzIn);
    const sums = new Float64Array(M2 * N);
    for (let r = 0; r < rows; r++) {
      for (let m2 = 0; m2 < M2; m2++) sums[m2 * N + tokens[r]] += dz[r * M2 + m2];
    }
    dA.write(sums);
  },
  loss(loss, rows, outputs, scoresIn, answers, dScores) {
    const scores = arrayOf(scoresIn);
    const classes = answers instanceof Int32Array ? answers : void 0;
    const targets = answers instanceof Int32Array ? void 0 : arrayOf(answers);
    const gradient = new Float64Array(rows * outputs);
    const total = { loss: 0, correct: 0 };
    for (let r = 0; r < rows; r++) {
      const row = r * outputs;
      const isClass = (k) => Number(classes?.[r] === k);
      let best = 0;
      for (let k = 1; k < outputs; k++) if (scores[row + k] > scores[row + best]) best = k;
      if (outputs > 0) total.correct += isClass(best);
      if (loss === "softmax") {
        const top = scores[row + best];
        let sum = 0;
        for (let k = 0; k < outputs; k++) sum += Math.exp(scores[row + k] - top);
        total.loss += Math.log(sum) + (top - scores[row + classes[r]]);
        for (let k = 0; k < outputs; k++)
          gradient[row + k] = (Math.exp(scores[row + k] - top) / sum - isClass(k)) / rows;
      } else {
        for (let k = 0; k < outputs; k++) {
          const difference = scores[row + k] - (targets ? targets[row + k] : isClass(k));
          total.loss += difference ** 2 / outputs;
          gradient[row + k] = 2 * difference / rows / outputs;
        }
      }
    }
    dScores?.write(gradient);
    return total;
  },
  adam(pIn, gIn, mIn, vIn, o) {
    const [p, g, m2, v] = [pIn, gIn, mIn, vIn].map(arrayOf);
    for (let n = 0; n < p.length; n++) {
      const gradient = g[n] * o.scale;
      m2[n] = o.beta1 * m2[n] + (1 - o.beta1) * gradient;
      v[n] = o.beta2 * v[n] + (1 - o.beta2) * gradient * gradient;
      const step = o.rate * (m2[n] / o.correction1) / (Math.sqrt(v[n] / o.correction2) + o.epsilon);
      p[n] = (1 - o.decay) * p[n] - step;
    }
  }
};

// src/backend/reference_linalg.ts
var referenceLinearAlgebra = {
  singularValues: (rows, cols, A2) => jacobi("singularValues", rows, cols, A2).s,
  svd: (rows, cols, A2) => jacobi("svd", rows, cols, A2),
  leftSvd(rows, cols, A2) {
    const { U, s } = jacobi("leftSvd", rows, cols, A2);
    return { U, s };
  },
  qr: (rows, cols, A2) => householder("qr", rows, cols, A2),
  triangle: (rows, cols, A2) => householder("triangle", rows, cols, A2).R,
  exceeds(rows, cols, A2, bound) {
    const { s } = jacobi("exceeds", rows, cols, A2);
    return s.length === 0 || s[s.length - 1] > bound + (rows + cols) * Number.EPSILON * s[0];
  },
  certifiedRank(rows, cols, A2) {
    checkFinite("certifiedRank A", arrayOf(A2));
    return rows * cols === 0 ? 0 : null;
  },
  rankModulo(rows, cols, A2, prime) {
    const residues = arrayOf(A2).slice();
    for (const value of residues) {
      if (!(Number.isInteger(value) && value >= 0 && value < prime))
        throw mismatch("E_ARGUMENT", "rankModulo A", `integers in [0, ${prime})`, value);
    }
    let rank = 0;
    for (let column = 0; column < cols && rank < rows; column++) {
      let found2 = rank;
      while (found2 < rows && residues[found2 * cols + column] === 0) found2++;
      if (found2 === rows) continue;
      const pivot = residues.slice(found2 * cols, (found2 + 1) * cols);
      residues.copyWithin(found2 * cols, rank * cols, (rank + 1) * cols);
      const inverse = power(pivot[column], prime - 2, prime);
      for (let row = rank + 1; row < rows; row++) {
        const factor = residues[row * cols + column] * inverse % prime;
        for (let n = column; n < cols; n++) {
          const at2 = row * cols + n;
          residues[at2] = (residues[at2] + (prime - factor) * pivot[n]) % prime;
        }
      }
      rank++;
    }
    return rank;
  }
};
function power(value, exponent, prime) {
  let result = 1;
  for (let rest = exponent, square = value; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = result * square % prime;
    square = square * square % prime;
  }
  return result;
}
function scaled(kernel, A2) {
  const values = Float64Array.from(arrayOf(A2));
  checkFinite(`${kernel} A`, values);
  const largest = values.reduce((size, value) => Math.max(size, Math.abs(value)), 0);
  const scale = largest > 0 ? 2 ** Math.max(-1022, Math.min(1022, Math.floor(Math.log2(largest)))) : 1;
  for (let n = 0; n < values.length; n++) values[n] /= scale;
  return { values, scale };
}
function orthogonalise(W, k, n, Z) {
  const rotate2 = (rows, length, p, q, c, s) => {
    for (let i = 0; i < length; i++) {
      const x = rows[p * length + i];
      const y = rows[q * length + i];
      rows[p * length + i] = c * x - s * y;
      rows[q * length + i] = s * x + c * y;
    }
  };
  const noise = (Number.EPSILON * norm(W)) ** 2;
  const tolerance = 4 * Number.EPSILON * Math.sqrt(n);
  for (let sweep = 0; sweep < 60; sweep++) {
    let rotated = false;
    for (let p = 0; p < k; p++) {
      for (let q = p + 1; q < k; q++) {
        let [alpha, beta, gamma] = [0, 0, 0];
        for (let i = 0; i < n; i++) {
          const x = W[p * n + i];
          const y = W[q * n + i];
          alpha += x * x;
          beta += y * y;
          gamma += x * y;
        }
        if (Math.min(alpha, beta) <= noise || !(Math.abs(gamma) > tolerance * Math.sqrt(alpha * beta)))
          continue;
        rotated = true;
        const zeta = (beta - alpha) / (2 * gamma);
        const t2 = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const c = 1 / Math.hypot(1, t2);
        rotate2(W, n, p, q, c, c * t2);
        rotate2(Z, k, p, q, c, c * t2);
      }
    }
    if (!rotated) return;
  }
  throw new XiError("E_NUMERIC", "singular values: expected Jacobi rotations to end within 60 sweeps");
}
function jacobi(kernel, rows, cols, A2) {
  const { values, scale } = scaled(kernel, A2);
  const wide = rows <= cols;
  const [k, n] = wide ? [rows, cols] : [cols, rows];
  const W = wide ? values : transpose(values, rows, cols);
  const Z = new Float64Array(k * k);
  for (let i = 0; i < k; i++) Z[i * k + i] = 1;
  orthogonalise(W, k, n, Z);
  const lengths = Array.from({ length: k }, (_, i) => norm(W.subarray(i * n, (i + 1) * n)));
  const order = [...lengths.keys()].sort((x, y) => lengths[y] - lengths[x]);
  const short = new Float64Array(k * k);
  const long = new Float64Array(k * n);
  order.forEach((from, to) => {
    short.set(Z.subarray(from * k, (from + 1) * k), to * k);
    for (let i = 0; i < n; i++) long[to * n + i] = W[from * n + i] / (lengths[from] || 1);
  });
  const largest = order.length > 0 ? lengths[order[0]] : 0;
  complete(
    long,
    k,
    n,
    order.map((from) => lengths[from] > 1e-14 * largest)
  );
  const s = Float64Array.from(order, (from) => lengths[from] * scale);
  return wide ? { U: transpose(short, k, k), s, V: long } : { U: transpose(long, k, n), s, V: short };
}
function complete(X, k, n, known) {
  for (let row = 0, unit = 0; row < k; row++) {
    const x = X.subarray(row * n, (row + 1) * n);
    while (!known[row]) {
      x.fill(0);
      x[unit++] = 1;
      for (let pass = 0; pass < 2; pass++) {
        for (let other = 0; other < k; other++) {
          if (!known[other]) continue;
          const y = X.subarray(other * n, (other + 1) * n);
          let product = 0;
          for (let i = 0; i < n; i++) product += x[i] * y[i];
          for (let i = 0; i < n; i++) x[i] -= product * y[i];
        }
      }
      const length = norm(x);
      known[row] = length > 0.5 / Math.sqrt(n);
      for (let i = 0; i < n; i++) x[i] /= length || 1;
    }
  }
}
var norm = (x) => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
function transpose(A2, rows, cols) {
  const out = new Float64Array(A2.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) out[c * rows + r] = A2[r * cols + c];
  }
  return out;
}
function householder(kernel, rows, cols, A2) {
  const { values, scale } = scaled(kernel, A2);
  const k = Math.min(rows, cols);
  const vectors = [];
  const reflect = (v, first2, X, width) => {
    const square = v.reduce((sum, x) => sum + x * x, 0);
    for (let c = 0; c < width && square > 0; c++) {
      let product = 0;
      for (let i = 0; i < v.length; i++) product += v[i] * X[(first2 + i) * width + c];
      for (let i = 0; i < v.length; i++) X[(first2 + i) * width + c] -= 2 * product / square * v[i];
    }
  };
  for (let j = 0; j < k; j++) {
    const v = Float64Array.from({ length: rows - j }, (_, i) => values[(j + i) * cols + j]);
    v[0] += (v[0] < 0 ? -1 : 1) * norm(v);
    reflect(v, j, values, cols);
    vectors.push(v);
    for (let i = j + 1; i < rows; i++) values[i * cols + j] = 0;
  }
  const Q = new Float64Array(rows * k);
  for (let i = 0; i < k; i++) Q[i * k + i] = 1;
  for (let j = k - 1; j >= 0; j--) reflect(vectors[j], j, Q, k);
  return { Q, R: values.slice(0, k * cols).map((value) => value * scale) };
}

// src/backend/reference.ts
var kernels = {
  contract(xi, { B, L: L2, R, K }, aIn, hIn, GIn, outIn) {
    const [a, h, G, out] = [aIn, hIn, GIn, outIn].map(arrayOf);
    const { value } = XI[xi];
    const sum = new Float64Array(K);
    for (let b = 0; b < B; b++) {
      sum.fill(0);
      for (let i = 0; i < L2; i++) {
        for (let j = 0; j < R; j++) {
          const joined = value(a[b * L2 + i], h[b * R + j]);
          const row = (i * R + j) * K;
          for (let k = 0; k < K; k++) sum[k] += G[row + k] * joined;
        }
      }
      out.set(sum, b * K);
    }
  },
  packWeights: (L2, R, K, G, precision = "float32") => ({
    ...{ L: L2, R, K, precision },
    values: new ArrayStorage(G.dtype, G.read())
  }),
  contractPacked(xi, B, a, h, { L: L2, R, K, values }, out) {
    kernels.contract(xi, { B, L: L2, R, K }, a, h, values, out);
  },
  contractGradient(xi, { B, L: L2, R, K }, from, to, accumulate) {
    const [a, h, G, dout] = [from.a, from.h, from.G, from.dout].map(arrayOf);
    const { value, dx, dy } = XI[xi];
    const da = new Float64Array(B * L2);
    const dh = new Float64Array(B * R);
    const dG = new Float64Array(L2 * R * K);
    if (accumulate) dG.set(arrayOf(to.dG));
    for (let b = 0; b < B; b++) {
      for (let i = 0; i < L2; i++) {
        for (let j = 0; j < R; j++) {
          const x = a[b * L2 + i];
          const y = h[b * R + j];
          const joined = value(x, y);
          const row = (i * R + j) * K;
          let weight = 0;
          for (let k = 0; k < K; k++) {
            const d = dout[b * K + k];
            weight += G[row + k] * d;
            dG[row + k] += joined * d;
          }
          da[b * L2 + i] += weight * dx(x, y);
          dh[b * R + j] += weight * dy(x, y);
        }
      }
    }
    to.da.write(da);
    to.dh.write(dh);
    to.dG.write(dG);
  },
  ...foldKernels,
  ...joinedKernels,
  ...learningKernels,
  ...referenceLinearAlgebra,
  contractGrid(xi, { P, M: M2, L: L2, R, K }, aIn, hIn, GIn, outIn) {
    const [a, h, G, out] = [aIn, hIn, GIn, outIn].map(arrayOf);
    const { value } = XI[xi];
    const sum = new Float64Array(K);
    for (let p = 0; p < P; p++) {
      for (let m2 = 0; m2 < M2; m2++) {
        sum.fill(0);
        for (let i = 0; i < L2; i++) {
          for (let j = 0; j < R; j++) {
            const joined = value(a[m2 * L2 + i], h[p * R + j]);
            for (let k = 0; k < K; k++) sum[k] += G[(i * R + j) * K + k] * joined;
          }
        }
        out.set(sum, (p * M2 + m2) * K);
      }
    }
  },
  outer(xi, xIn, yIn, outIn) {
    const [x, y, out] = [xIn, yIn, outIn].map(arrayOf);
    const { value } = XI[xi];
    for (let m2 = 0; m2 < x.length; m2++) {
      for (let n = 0; n < y.length; n++) out[m2 * y.length + n] = value(x[m2], y[n]);
    }
  },
  matmul(M2, N, K, A2, B, C, accumulate) {
    const at2 = ({ rowStride, colStride }, r, c) => r * rowStride + c * colStride;
    const [dataA, dataB, dataC] = [A2, B, C].map((view) => arrayOf(view.data));
    for (let m2 = 0; m2 < M2; m2++) {
      for (let n = 0; n < N; n++) {
        let sum = accumulate ? dataC[at2(C, m2, n)] : 0;
        for (let k = 0; k < K; k++) sum += dataA[at2(A2, m2, k)] * dataB[at2(B, k, n)];
        dataC[at2(C, m2, n)] = sum;
      }
    }
  },
  activate(activation, rows, cols, biasIn, zIn) {
    const [bias, z] = [biasIn, zIn].map(arrayOf);
    const { value } = ACTIVATION[activation];
    for (let n = 0; n < rows * cols; n++) z[n] = value(z[n] + bias[n % cols]);
  },
  activateGradient(activation, rows, cols, yIn, dyIn, dbiasIn) {
    const [y, dy] = [yIn, dyIn].map(arrayOf);
    const { slope } = ACTIVATION[activation];
    const dbias = new Float64Array(cols);
    for (let n = 0; n < rows * cols; n++) {
      dy[n] *= slope(y[n]);
      dbias[n % cols] += dy[n];
    }
    dbiasIn.write(dbias);
  },
  sumSquares(x) {
    let sum = 0;
    for (const value of arrayOf(x)) sum += value * value;
    return sum;
  },
  peak(_dtype, repetitions) {
    let value = 1;
    for (let n = 0; n < repetitions; n++) value = value * 0.999999 + 1e-6;
    return value > 0 ? 2 * repetitions : 0;
  }
};
var ACTIVATION = {
  identity: { value: (z) => z, slope: () => 1 },
  relu: { value: (z) => z < 0 ? 0 : z, slope: (y) => y > 0 ? 1 : 0 },
  tanh: { value: Math.tanh, slope: (y) => 1 - y * y }
};
function probeReference() {
  return {
    name: "reference",
    usable: true,
    source: "TypeScript",
    isas: [{ name: "float64", index: 0, usable: true, priority: 1, reason: "plain loops, sums in float64" }],
    open: (isa) => ({
      name: "reference",
      isa: isa.name,
      threads: 1,
      tiles: {},
      allocate: (dtype, length) => new ArrayStorage(dtype, length),
      adopt: adoptArray,
      ...checked(kernels)
    })
  };
}

// src/backend/selection.ts
var MAX_THREADS = 255;
function checkWanted(options, around, others = []) {
  knownKeys("openBackend", options, ["prefer", "isa", "threads", ...others]);
  const prefer = options.prefer ?? (around.backend ? [around.backend] : BACKEND_NAMES);
  const threads2 = threadsOf(options.threads, around);
  if (!Array.isArray(prefer) || prefer.length === 0) {
    throw mismatch("E_ARGUMENT", "prefer", `a list of ${BACKEND_NAMES.join(", ")}`, prefer);
  }
  for (const name of prefer) oneOf(options.prefer ? "prefer" : "XITENSOR_BACKEND", name, BACKEND_NAMES);
  return { prefer, isa: options.isa ?? (around.isa || void 0), threads: threads2 };
}
function threadsOf(option, { threads: variable, cores }) {
  if (option !== void 0) return integer("threads", option, 1, MAX_THREADS);
  if (!variable) return Math.min(MAX_THREADS, cores);
  const count = Number(variable);
  if (Number.isInteger(count) && count >= 1 && count <= MAX_THREADS) return count;
  throw mismatch("E_ARGUMENT", "XITENSOR_THREADS", `an integer from 1 to ${MAX_THREADS}`, variable);
}
function pickIsa(isas, wanted) {
  const candidates = wanted === void 0 ? isas : isas.filter((isa) => isa.name === wanted);
  const best = candidates.filter((isa) => isa.usable).sort((x, y) => y.priority - x.priority)[0];
  if (best) return best;
  if (candidates.length > 0) return candidates.map((isa) => `${isa.name}: ${isa.reason}`).join("; ");
  return `it has no instruction set '${wanted}', only ${isas.map((isa) => isa.name).join(", ")}`;
}
function nothingUsable(refusals, remedy) {
  const reasons = refusals.map(({ name, reason }) => `
  ${name}: ${reason}`).join("");
  return new XiError("E_BACKEND", `no backend can be used:${reasons}
${remedy}`);
}

// src/backend/wasm-files.ts
import { readFileSync } from "node:fs";
import { fileURLToPath as fileURLToPath2 } from "node:url";
import { Worker } from "node:worker_threads";

// src/backend/wasm-modules.ts
var HEADER = [0, 97, 115, 109, 1, 0, 0, 0];
var WASM_MODULES = [
  {
    isa: "relaxed128",
    file: "wasm/xitensor-relaxed.wasm",
    needs: "WebAssembly relaxed SIMD",
    // (func (param v128 v128 v128) (result v128) local.get 0 local.get 1 local.get 2 f32x4.relaxed_madd)
    probe: new Uint8Array(
      [HEADER, [1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0], [10, 13, 1, 11, 0, 32, 0], [32, 1, 32, 2]].flat().concat(253, 133, 2, 11)
    )
  },
  {
    isa: "wasm128",
    file: "wasm/xitensor.wasm",
    needs: "WebAssembly SIMD128",
    // (func (result v128) i32.const 0 i8x16.splat)
    probe: new Uint8Array(
      [HEADER, [1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0], [10, 8, 1, 6, 0, 65, 0, 253, 15, 11]].flat()
    )
  }
];
var IMPORT_SECTION = 2;
var KIND_FUNCTION = 0;
var KIND_MEMORY = 2;
var SHARED = 2;
var IMPORTS_WITHIN = 2 ** 12;
function unshared(module) {
  const bytes = module.slice();
  let at2 = HEADER.length;
  const number = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at2++];
      value += (byte & 127) * factor;
      if (!(byte & 128)) return value;
    }
  };
  const skip = (count) => {
    at2 += count;
  };
  while (at2 < bytes.length) {
    const section = bytes[at2++];
    const size = number();
    if (section !== IMPORT_SECTION) {
      skip(size);
      continue;
    }
    for (let imports = number(); imports > 0; imports--) {
      skip(number());
      skip(number());
      const kind = bytes[at2++];
      if (kind === KIND_MEMORY) bytes[at2] &= ~SHARED;
      if (kind !== KIND_FUNCTION) return bytes;
      number();
    }
  }
  return bytes;
}

// src/backend/wasm.ts
var INITIAL_PAGES = 256;
var MAXIMA = [65536, 32768, 16384, 8192];
var STACK_BYTES = 2 ** 18;
var WORDS = 1024;
function probeModules(read, threads2) {
  const source = WASM_MODULES.at(-1).file;
  const refuse = (reason) => ({ name: "wasm", usable: false, source, reason });
  if (typeof WebAssembly !== "object") return refuse("this engine has no WebAssembly");
  const found2 = WASM_MODULES.map((module, index) => {
    const priority = WASM_MODULES.length - index;
    const program = loadProgram(module, read, threads2);
    return typeof program === "string" ? { isa: { name: module.isa, index: 0, usable: false, priority, reason: program } } : { isa: { ...program.isa, priority }, program };
  });
  const programs = new Map(found2.map(({ isa, program }) => [isa.name, program]));
  const isas = found2.map(({ isa }) => isa);
  if (!isas.some(({ usable }) => usable)) return refuse(isas.at(-1).reason);
  return {
    name: "wasm",
    usable: true,
    source: isas.find(({ usable }) => usable) === isas[0] ? WASM_MODULES[0].file : source,
    isas,
    note: threads2.refusal,
    open: (isa, wanted) => programs.get(isa.name).open(isa, wanted)
  };
}
var Program = class {
  isa;
  bytes;
  threads;
  single;
  threaded;
  unused;
  constructor(bytes, threads2) {
    this.bytes = bytes;
    this.threads = threads2;
    this.single = new WebAssembly.Module(unshared(bytes));
    this.unused = this.instantiate(this.single, memoryOf(false));
    this.isa = this.unused.describe();
  }
  open(isa, wanted) {
    const shared = sharedMemoryFor(wanted, this.threads);
    const instance = shared ? this.withThreads(shared) : this.withOne();
    return backendOf(instance, isa, shared ? wanted : 1);
  }
  withThreads(memory) {
    this.threaded ??= new WebAssembly.Module(this.bytes);
    return this.instantiate(this.threaded, memory);
  }
  withOne() {
    const instance = this.unused ?? this.instantiate(this.single, memoryOf(false));
    this.unused = void 0;
    return instance;
  }
  instantiate(module, memory) {
    const { imports, become } = unborn(module, memory, this.threads);
    return become(new WebAssembly.Instance(module, imports));
  }
};
function backendOf(instance, isa, threads2) {
  return {
    name: "wasm",
    isa: isa.name,
    threads: threads2,
    tiles: {},
    allocate: (dtype, length) => instance.allocate(dtype, length),
    adopt: (values) => instance.adopt(values),
    ...checked(abiKernels(instance.binding(), isa, threads2))
  };
}
function loadProgram({ file, needs, probe }, read, threads2) {
  if (!WebAssembly.validate(probe)) return `this engine lacks ${needs}`;
  let bytes;
  try {
    bytes = read(file);
  } catch (cause) {
    return cause.message;
  }
  try {
    return new Program(bytes, threads2);
  } catch (cause) {
    if (cause instanceof XiError) return cause.message;
    return `${file} cannot be instantiated: ${cause.message}`;
  }
}
var memoryOf = (shared, maximum = MAXIMA[0]) => new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum, shared });
function sharedMemoryFor(wanted, threads2) {
  if (wanted === 1 || threads2.refusal) return void 0;
  for (const maximum of MAXIMA) {
    try {
      return memoryOf(true, maximum);
    } catch {
    }
  }
  return void 0;
}
var threadsOf2 = new FinalizationRegistry((threads2) => {
  for (const thread of threads2) thread.terminate();
});
function unborn(module, memory, threads2) {
  let instance;
  const start_workers = (count) => instance.startThreads(count);
  return {
    imports: { env: { memory, start_workers } },
    become: (made) => {
      instance = new Instance(module, made.exports, threads2);
      return instance;
    }
  };
}
var Instance = class {
  exports;
  module;
  host;
  started = [];
  blocks;
  constructor(module, exports, host) {
    this.module = module;
    this.exports = exports;
    this.host = host;
    this.exports.__wasm_call_ctors();
    this.blocks = new FinalizationRegistry((pointer) => this.exports.xt_free(pointer));
    threadsOf2.register(this, this.started);
  }
  /** What the module says of itself. */
  describe() {
    const description = describeBinary(this.text(this.exports.xt_describe()));
    if (typeof description === "string") throw new XiError("E_BACKEND", `the module is ${description}`);
    return description.isas[0];
  }
  /** Called by the first job that is worth sharing. Without a thread its parts are computed here. */
  startThreads(count) {
    const { memory, __tls_size: tls } = this.exports;
    for (let n = 0; n < count; n++) {
      const block = this.exports.xt_alloc(tls.value + STACK_BYTES);
      if (block === 0) return;
      const stack = block + Math.floor((tls.value + STACK_BYTES) / 16) * 16;
      try {
        this.started.push(this.host.start({ module: this.module, memory, stack, tls: block }));
      } catch {
        this.exports.xt_free(block);
      }
    }
  }
  text(pointer) {
    const bytes = new Uint8Array(this.exports.memory.buffer, pointer);
    return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
  }
  allocate(dtype, length) {
    const bytes = checkLength(length) * (dtype === "float32" ? 4 : 8);
    const pointer = bytes < 2 ** 32 - 2 ** 16 ? this.exports.xt_alloc(bytes) >>> 0 : 0;
    if (pointer === 0)
      throw mismatch("E_MEMORY", "WebAssembly memory", "room within 4 GiB", `${bytes} bytes`);
    const block = { pointer, freed: false };
    this.blocks.register(block, pointer, block);
    const storage = new WasmStorage(this, block, dtype, pointer, length);
    storage.fill(0);
    return storage;
  }
  adopt(values) {
    const storage = this.allocate(dtypeOf(values), values.length);
    storage.write(values);
    return storage;
  }
  /** Finalizers run between tasks only, so that a synchronous loop would fill the 4 GiB without this. */
  free(block) {
    if (block.freed) return;
    block.freed = true;
    this.blocks.unregister(block);
    this.exports.xt_free(block.pointer);
  }
  binding() {
    const two = this.allocate("float64", 2);
    let words = this.allocate("float32", WORDS);
    return {
      abi: this.exports,
      null: 0,
      allocate: (dtype, length) => this.allocate(dtype, length),
      words: (list) => {
        if (list.length > words.length) {
          const larger = this.allocate("float32", 2 * list.length);
          words.release();
          words = larger;
        }
        new Int32Array(this.exports.memory.buffer, words.address(), list.length).set(list);
        return words.address();
      },
      noWords: 0,
      pointer: (storage) => {
        if (storage instanceof WasmStorage && storage.instance === this) return storage.address();
        throw mismatch(
          "E_BACKEND",
          "storage",
          "storage that this backend allocated",
          storage.constructor.name
        );
      },
      result: {
        pointer: two.address(),
        read: () => {
          const values = two.read();
          return [values[0], values[1]];
        }
      }
    };
  }
};
var WasmStorage = class _WasmStorage {
  instance;
  /** Kept so that the memory lives as long as any part of it is referred to. */
  block;
  dtype;
  pointer;
  length;
  constructor(instance, block, dtype, pointer, length) {
    this.instance = instance;
    this.block = block;
    this.dtype = dtype;
    this.pointer = pointer;
    this.length = length;
  }
  at(offset, length = this.length - offset) {
    checkPart(offset, length, this.length);
    const pointer = this.pointer + offset * (this.dtype === "float32" ? 4 : 8);
    return new _WasmStorage(this.instance, this.block, this.dtype, pointer, length);
  }
  read() {
    return this.view().slice();
  }
  take() {
    const values = this.read();
    this.release();
    return values;
  }
  write(values) {
    checkSame(values.length, this.length);
    this.view().set(values);
  }
  fill(value) {
    this.view().fill(value);
  }
  release() {
    this.instance.free(this.block);
  }
  /** What the memory of a released storage holds belongs to others. */
  address() {
    if (this.block.freed) throw mismatch("E_BACKEND", "storage", "one that is in use", "a released one");
    return this.pointer;
  }
  /** Valid until the memory grows, so it never leaves this class. */
  view() {
    const { buffer } = this.instance.exports.memory;
    return this.dtype === "float32" ? new Float32Array(buffer, this.address(), this.length) : new Float64Array(buffer, this.address(), this.length);
  }
};

// src/backend/wasm-threads.ts
var WORK = `(({ module, memory, stack, tls }) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory, start_workers() {} } });
  exports.__stack_pointer.value = stack;
  exports.__wasm_init_tls(tls);
  exports.xt_worker();
})`;

// src/backend/wasm-files.ts
var threads = {
  refusal: "",
  start(start) {
    const source = `${WORK}(require('node:worker_threads').workerData)`;
    const worker = new Worker(source, { eval: true, workerData: start, execArgv: [] });
    worker.on("error", () => {
    });
    worker.unref();
    return worker;
  }
};
var probeWasm = () => probeModules((file) => {
  try {
    return new Uint8Array(readFileSync(fileURLToPath2(new URL(`../../${file}`, import.meta.url))));
  } catch (cause) {
    const { code, message } = cause;
    throw new XiError("E_BACKEND", code === "ENOENT" ? `${file} is missing` : message);
  }
}, threads);

// src/backend/select.ts
var PROBES = {
  native: probeNative,
  wasm: probeWasm,
  reference: probeReference
};
var found = /* @__PURE__ */ new Map();
function probeBackend(name) {
  let probe = found.get(name);
  if (!probe) found.set(name, probe = PROBES[oneOf("backend", name, BACKEND_NAMES)]());
  return probe;
}
function selectBackend(options = {}) {
  const { XITENSOR_BACKEND: backend2, XITENSOR_ISA: isa, XITENSOR_THREADS: threads2 } = process.env;
  const wanted = checkWanted(options, { backend: backend2, isa, threads: threads2, cores: availableParallelism() });
  const refusals = [];
  for (const name of wanted.prefer) {
    const probe = probeBackend(name);
    const chosen = probe.usable ? pickIsa(probe.isas, wanted.isa) : probe.reason;
    if (probe.usable && typeof chosen !== "string")
      return { backend: probe.open(chosen, wanted.threads), refusals };
    refusals.push({ name, reason: chosen });
  }
  throw nothingUsable(refusals, "npm run build makes the binaries anew");
}

// src/features/features.ts
function dense(data2, cols) {
  return { data: data2, rowStride: cols, colStride: 1 };
}
function transposed(view) {
  return { data: view.data, rowStride: view.colStride, colStride: view.rowStride };
}

// src/analysis/joins.ts
var isLeaf = (node) => "mode" in node;

// src/analysis/blocks.ts
var BLOCK_BYTES = 2 ** 26;
function rowsOf(node, counts2) {
  if (isLeaf(node)) return counts2[node.mode];
  return (node.major ? rowsOf(node.major, counts2) : 1) * rowsOf(node.minor, counts2);
}
function forEachBlock(root, counts2, bytesPerValue, visit) {
  const total = rowsOf(root, counts2);
  const unit = alignment(root, counts2);
  const rows = Math.max(1, Math.floor(BLOCK_BYTES / bytesPerValue / valuesPerRow(root, counts2) / unit)) * unit;
  for (let begin = 0; begin < total; begin += rows) visit(begin, Math.min(total, begin + rows));
}
function valuesPerRow(node, counts2) {
  if (isLeaf(node)) return node.width;
  return node.width + (node.major ? valuesPerRow(node.major, counts2) / rowsOf(node.minor, counts2) : 0);
}
function alignment(node, counts2) {
  let unit = 1;
  for (let at2 = node; at2 && !isLeaf(at2); at2 = at2.major) {
    const next = unit * rowsOf(at2.minor, counts2);
    if (next > MOST_ALIGNED) break;
    unit = next;
  }
  return unit;
}
var MOST_ALIGNED = 2 ** 16;

// src/analysis/grid.ts
var DEFAULT_LIMIT = 2 ** 31;
function gridOf(backend2, dtype, { xi, root }, F2, choice, { signal, onProgress } = {}) {
  const counts2 = choice.map((list) => list.length);
  const total = rowsOf(root, counts2);
  const out = allocate(dtype, total * root.width);
  const minors = /* @__PURE__ */ new Map();
  const kept = [];
  const keep = (storage) => {
    kept.push(storage);
    return storage;
  };
  const adopt = (values) => keep(backend2.adopt(values));
  const cores = /* @__PURE__ */ new Map();
  const whole = (node) => {
    const known = minors.get(node);
    if (known) return known;
    const values = isLeaf(node) ? leafValues(node) : evaluate(node, 0, rowsOf(node, counts2)).values;
    minors.set(node, keep(values));
    return values;
  };
  const leafValues = ({ mode, width, projection }) => {
    const features = F2.shape[1];
    const rows = choice[mode].length;
    const values = backend2.allocate(dtype, rows * width);
    borrowing((borrow) => {
      const shown = allocate(dtype, rows * features);
      choice[mode].forEach((m2, n) => {
        shown.set(F2.data.subarray(m2 * features, (m2 + 1) * features), n * features);
      });
      const [f, C] = [shown, projection].map((array) => dense(borrow(backend2.adopt(array)), features));
      backend2.matmul(rows, width, features, f, transposed(C), dense(values, width), false);
    });
    return values;
  };
  const evaluate = (node, begin, end) => {
    if (isLeaf(node)) {
      const all = leafValues(node);
      return { values: all, first: 0 };
    }
    const M2 = rowsOf(node.minor, counts2);
    const minor = whole(node.minor);
    const [from, to] = [Math.floor(begin / M2), Math.ceil(end / M2)];
    const values = backend2.allocate(dtype, (to - from) * M2 * node.width);
    const core = coreOf(node);
    if (node.major === null) {
      const unit = backend2.allocate(dtype, node.R);
      unit.fill(XI[xi].unit);
      joinRows(backend2, xi, node, { P: 1, M: M2 }, unit, minor, core, values);
      unit.release();
    } else {
      const { values: major, first: first2 } = evaluate(node.major, from, to);
      const rows = major.at((from - first2) * node.R, (to - from) * node.R);
      joinRows(backend2, xi, node, { P: to - from, M: M2 }, rows, minor, core, values);
      major.release();
    }
    return { values, first: from * M2 };
  };
  const coreOf = (node) => {
    if (node.core.form === "none") return null;
    const known = cores.get(node) ?? adopt(node.core.values);
    cores.set(node, known);
    return known;
  };
  try {
    const bytes = dtype === "float32" ? 4 : 8;
    forEachBlock(root, counts2, bytes, (begin, end) => {
      if (signal?.aborted)
        throw new XiError("E_ABORTED", `gridTensor: stopped after ${begin} of ${total} rows`);
      const { values, first: first2 } = evaluate(root, begin, end);
      const part = values.at((begin - first2) * root.width, (end - begin) * root.width);
      out.set(part.take(), begin * root.width);
      values.release();
      onProgress?.(end * root.width, out.length);
    });
  } finally {
    for (const storage of kept) storage.release();
  }
  return out;
}
function joinRows(backend2, xi, { core, R, minor: { width: L2 }, width: K }, { P, M: M2 }, major, minor, weights, out) {
  if (core.form === "full") {
    backend2.contractGrid(xi, { P, M: M2, L: L2, R, K }, minor, major, weights, out);
    return;
  }
  const pair = [
    { data: major, strides: [R, 0, 1] },
    { data: minor, strides: [0, R, 1] }
  ];
  const common = { xi, combine: "product", reduce: "sum", fromUnit: false, batch: [], left: pair };
  if (weights === null) {
    backend2.joined(
      { ...common, rows: [P, M2, R], columns: [], terms: [], right: [], outStrides: [M2 * R, R, 1] },
      out
    );
    return;
  }
  const right = [{ data: weights, strides: [1, K] }];
  backend2.joined(
    { ...common, rows: [P, M2], columns: [K], terms: [R], right, outStrides: [M2 * K, K, 1] },
    out
  );
}

// src/analysis/matricize.ts
function splitModes(where, modes, rowModes) {
  if (!Array.isArray(rowModes))
    throw mismatch("E_ARGUMENT", `${where} rowModes`, "a list of modes", rowModes);
  for (const mode of rowModes) integer(`${where} rowModes`, mode, 0, modes - 1);
  const rows = [...new Set(rowModes)].sort((a, b) => a - b);
  if (rows.length !== rowModes.length)
    throw mismatch("E_ARGUMENT", `${where} rowModes`, "each mode once", rowModes);
  const columns = Array.from({ length: modes }, (_, mode) => mode).filter((mode) => !rows.includes(mode));
  return { rows, columns };
}
function matricize(tensor, rowModes) {
  const { dtype, shape, data: data2 } = tensor;
  const { rows, columns } = splitModes("matricize", shape.length, rowModes);
  const extent = (modes) => elementCount(modes.map((mode) => shape[mode]));
  const result = { dtype, shape: [extent(rows), extent(columns)] };
  if (rows.every((mode, n) => mode === n)) return { ...result, data: data2 };
  const [rowAt, columnAt] = [offsets2(shape, rows), offsets2(shape, columns)];
  const out = allocate(dtype, data2.length);
  const width = columnAt.length;
  for (let r = 0; r < rowAt.length; r++) {
    const [from, to] = [rowAt[r], r * width];
    for (let c = 0; c < width; c++) out[to + c] = data2[from + columnAt[c]];
  }
  return { ...result, data: out };
}
function offsets2(shape, modes) {
  const strides = shape.map((_, mode) => shape.slice(mode + 1).reduce((a, b) => a * b, 1));
  let list = Int32Array.of(0);
  for (const mode of modes) {
    const next = new Int32Array(list.length * shape[mode]);
    list.forEach((base, n) => {
      for (let i = 0; i < shape[mode]; i++) next[n * shape[mode] + i] = base + i * strides[mode];
    });
    list = next;
  }
  return list;
}

// src/core/rng.ts
var Rng = class {
  s0;
  s1;
  s2;
  s3;
  spare;
  constructor(...seeds) {
    let state = 2654435769;
    const next = () => {
      state = state + 2654435769 | 0;
      let z = state;
      z = Math.imul(z ^ z >>> 16, 2246822507);
      z = Math.imul(z ^ z >>> 13, 3266489909);
      return z ^ z >>> 16;
    };
    for (const seed of seeds) {
      state = next() ^ seed >>> 0;
      state = next() ^ Math.floor(seed / 2 ** 32);
    }
    [this.s0, this.s1, this.s2, this.s3] = [next(), next(), next(), next() | 1];
  }
  /** A 32-bit integer. */
  integer() {
    const result = Math.imul(rotate(Math.imul(this.s1, 5), 7), 9) >>> 0;
    const shifted = this.s1 << 9;
    this.s2 ^= this.s0;
    this.s3 ^= this.s1;
    this.s1 ^= this.s2;
    this.s0 ^= this.s3;
    this.s2 ^= shifted;
    this.s3 = rotate(this.s3, 11);
    return result;
  }
  /** Uniform in [0, 1), 53 bits. */
  uniform() {
    return ((this.integer() >>> 5) * 2 ** 26 + (this.integer() >>> 6)) / 2 ** 53;
  }
  /** Uniform in {0, …, bound − 1}. */
  below(bound) {
    return Math.floor(this.uniform() * bound);
  }
  /** Normal with mean 0 and the given deviation (Box & Muller 1958). */
  normal(deviation = 1) {
    if (this.spare !== void 0) {
      const value = this.spare * deviation;
      this.spare = void 0;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle) * deviation;
  }
  /** A random order of 0, …, count − 1 (Fisher & Yates). */
  permutation(count) {
    const order = Uint32Array.from({ length: count }, (_, n) => n);
    for (let n = count - 1; n > 0; n--) {
      const other = this.below(n + 1);
      [order[n], order[other]] = [order[other], order[n]];
    }
    return order;
  }
};
function rotate(x, bits) {
  return x << bits | x >>> 32 - bits;
}

// src/experiments/rank_network.ts
var DRAWS = {
  normal: (rng) => rng.normal(),
  uniform: (rng) => Math.sqrt(3) * (2 * rng.uniform() - 1)
};
function randomNetwork(study2, R, index) {
  const { xi, M: M2, T: T2, L: L2, shared, entries, seed } = study2;
  const rng = new Rng(seed, R, index);
  const draw = (length) => Float64Array.from({ length }, () => DRAWS[entries](rng));
  const parts = (length) => {
    const all = [];
    for (let t2 = 0; t2 < T2; t2++) all.push(shared && t2 > 1 && t2 < T2 - 1 ? all[1] : draw(length(t2)));
    return all;
  };
  const bound = (t2) => t2 === 0 || t2 === T2 ? 1 : R;
  const C = parts(() => L2 * M2);
  const G = parts((t2) => L2 * bound(t2) * bound(t2 + 1));
  const F2 = { dtype: "float64", shape: [M2, M2], data: draw(M2 * M2) };
  let root = { mode: 0, width: L2, projection: C[0] };
  for (let t2 = 0; t2 < T2; t2++) {
    const core = { form: "full", values: G[t2] };
    const minor = { mode: t2, width: L2, projection: C[t2] };
    root = { major: t2 === 0 ? null : root, minor, core, R: bound(t2), width: bound(t2 + 1) };
  }
  return { tree: { xi, root, modes: T2 }, F: F2 };
}

// look2.ts
var { backend } = selectBackend({ threads: 1 });
var M = 10;
var T = 6;
var L = 10;
var study = { xi: "rectifier", M, T, L, shared: false, entries: "normal", seed: 1, ranks: [8], networks: 1, tolerance: 1e-10 };
var { tree, F } = randomNetwork(study, 8, 0);
var data = gridOf(backend, "float64", tree, F, Array.from({ length: T }, () => Array.from({ length: M }, (_, m2) => m2)));
var m = matricize({ dtype: "float64", shape: Array(T).fill(M), data }, [0, 2, 4]);
var A = backend.adopt(m.data);
var t0 = process.cpuUsage();
for (let i = 0; i < 60; i++) backend.certifiedRank(1e3, 1e3, A, 1e-10);
var t = process.cpuUsage(t0);
console.log(t.user / 6e4, t.system / 6e4);

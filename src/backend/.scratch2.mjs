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

// src/core/tensor.ts
var DTYPES = ["float32", "float64"];
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
function dtypeOf(data, where = "tensor") {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Float64Array) return "float64";
  throw mismatch("E_DTYPE", where, "a Float32Array or Float64Array", data);
}
function tensor(data, shape, dtype) {
  if (dtype !== void 0 && !DTYPES.includes(dtype)) {
    throw mismatch("E_DTYPE", "tensor dtype", `one of ${DTYPES.join(", ")}`, dtype);
  }
  if (isTensor(data)) return tensor(data.data, shape ?? data.shape, dtype ?? data.dtype);
  let flat;
  let own;
  if (ArrayBuffer.isView(data)) {
    if (data instanceof DataView || data instanceof BigInt64Array || data instanceof BigUint64Array) {
      throw mismatch("E_DTYPE", "tensor", "a typed array of numbers", data);
    }
    flat = data;
    own = [flat.length];
  } else {
    own = nestingOf(data);
    flat = flatten(data, own);
  }
  const finalShape = [...shape ?? own];
  const count = elementCount(finalShape, "tensor shape");
  if (count !== flat.length) {
    throw new XiError(
      "E_SHAPE",
      `tensor: shape ${show(finalShape)} holds ${count} elements, the data has ${flat.length}`
    );
  }
  const isFloat = flat instanceof Float32Array || flat instanceof Float64Array;
  const type = dtype ?? (isFloat ? dtypeOf(flat) : "float64");
  if (isFloat && dtypeOf(flat) === type) return { dtype: type, shape: finalShape, data: flat };
  const out = allocate(type, count);
  out.set(flat);
  return { dtype: type, shape: finalShape, data: out };
}
function tokenTensor(data, shape) {
  if (elementCount(shape, "tokens shape") !== data.length)
    throw mismatch(
      "E_SHAPE",
      "tokens",
      `${elementCount(shape)} tokens for shape ${show(shape)}`,
      data.length
    );
  return { dtype: "int32", shape: [...shape], data };
}
function isTokens(value) {
  return typeof value === "object" && value !== null && value.dtype === "int32" && value.data instanceof Int32Array && Array.isArray(value.shape);
}
function checkTokens(where, value, steps, bound) {
  const { shape, data } = value;
  if (shape.length !== 2 || steps !== -1 && shape[1] !== steps)
    throw mismatch("E_SHAPE", where, `tokens of shape [any, ${steps === -1 ? "any" : steps}]`, shape);
  tokenTensor(data, shape);
  const bad = data.findIndex((token) => token < 0 || token >= bound);
  if (bad >= 0)
    throw mismatch("E_ARGUMENT", `${where} element ${bad}`, `a token from 0 to ${bound - 1}`, data[bad]);
  return value;
}
function isTensor(value) {
  return typeof value === "object" && value !== null && "dtype" in value && "shape" in value && "data" in value;
}
function checkTensor(where, value, shape, dtype, { finite = true } = {}) {
  if (!isTensor(value)) throw mismatch("E_ARGUMENT", where, "a Tensor { dtype, shape, data }", value);
  if (value.dtype !== dtype || dtypeOf(value.data, where) !== dtype) {
    throw mismatch("E_DTYPE", where, dtype, value.dtype);
  }
  const fits = Array.isArray(value.shape) && value.shape.length === shape.length && shape.every((extent, axis) => extent === -1 || extent === value.shape[axis]);
  if (!fits) {
    const wanted = `shape [${shape.map((extent) => extent === -1 ? "any" : extent).join(", ")}]`;
    throw mismatch("E_SHAPE", where, wanted, value.shape);
  }
  const count = elementCount(value.shape, where);
  if (count !== value.data.length) {
    throw mismatch("E_SHAPE", where, `${count} elements for shape ${show(value.shape)}`, value.data.length);
  }
  if (finite) checkFinite(where, value.data);
  return value;
}
function checkFinite(where, data) {
  for (let n = 0; n < data.length; n++) {
    if (!Number.isFinite(data[n])) {
      throw new XiError("E_NUMERIC", `${where}: expected finite values, received ${data[n]} at element ${n}`);
    }
  }
}
function nestingOf(data) {
  const shape = [];
  for (let level = data; Array.isArray(level); level = level[0])
    shape.push(level.length);
  return shape;
}
function flatten(data, shape) {
  const out = new Float64Array(elementCount(shape, "tensor"));
  let next = 0;
  const visit = (node, axis) => {
    if (axis === shape.length) {
      if (typeof node !== "number")
        throw mismatch("E_DTYPE", "tensor", "numbers at the innermost level", node);
      out[next++] = node;
      return;
    }
    if (!Array.isArray(node) || node.length !== shape[axis]) {
      throw mismatch(
        "E_SHAPE",
        `tensor axis ${axis}`,
        `${shape[axis]} entries (ragged arrays have no shape)`,
        node
      );
    }
    for (const child of node) visit(child, axis + 1);
  };
  visit(data, 0);
  return out;
}

// src/models/tree.ts
function levelsOf(steps) {
  return 32 - Math.clz32(steps - 1);
}
function treeOf(steps) {
  const levels = [Array.from({ length: steps }, (_, place) => ({ level: 0, place }))];
  for (let level = 1; levels[level - 1].length > 1; level++) {
    const below2 = levels[level - 1];
    levels.push(
      Array.from({ length: Math.ceil(below2.length / 2) }, (_, place) => {
        const [left, right] = [below2[2 * place], below2[2 * place + 1]];
        return right === void 0 ? left : { level, place, children: [left, right] };
      })
    );
  }
  return levels;
}

// src/analysis/joins.ts
var isLeaf = (node) => "mode" in node;
function joinTree(model, output = "all") {
  const { kind, xi, steps } = model.config;
  const { parameters } = model;
  const part = (name) => {
    const found2 = parameters[name];
    if (!found2) throw mismatch("E_ARGUMENT", `a model of kind ${kind}`, `a parameter ${name}`, "none");
    return found2;
  };
  const root = ROOTS[kind](model, part);
  return { xi, modes: steps, root: output === "all" ? root : withOutput(root, output) };
}
function withOutput(root, output) {
  if (isLeaf(root)) {
    const M = root.projection.length / root.width;
    return { ...root, width: 1, projection: root.projection.subarray(output * M, (output + 1) * M) };
  }
  const { core: core2, width } = root;
  if (core2.form === "none") return root;
  const values = core2.values.filter((_, n) => n % width === output);
  return { ...root, core: { ...core2, values }, width: 1 };
}
var leafOf = (mode2, { shape, data }) => ({ mode: mode2, width: shape[0], projection: data });
var ROOTS = { cp: shallowRoot, tt: trainRoot, ht: treeRoot };
function shallowRoot({ config }, part) {
  const { steps, shared, outputs } = config;
  const v = part("v");
  const [R, M] = v.shape.slice(-2);
  const leaf = (t2) => {
    const start = shared ? 0 : t2 * R * M;
    return { mode: t2, width: R, projection: v.data.subarray(start, start + R * M) };
  };
  const core2 = (t2) => t2 === steps - 1 ? { form: "diagonal", values: part("lambda").data } : { form: "none" };
  let node = null;
  for (let t2 = 0; t2 < steps; t2++) {
    node = { major: node, minor: leaf(t2), core: core2(t2), R, width: t2 === steps - 1 ? outputs : R };
  }
  return node;
}
function trainRoot({ config }, part) {
  const { steps, shared } = config;
  const place = (t2) => {
    if (!shared) return String(t2);
    return t2 === steps - 1 ? "last" : t2 === 0 ? "first" : "middle";
  };
  let node = null;
  for (let t2 = 0; t2 < steps; t2++) {
    const G = part(`G.${place(t2)}`);
    const core2 = { form: "full", values: G.data };
    node = { major: node, minor: leafOf(t2, part(`C.${place(t2)}`)), core: core2, R: G.shape[1], width: G.shape[2] };
  }
  return node;
}
function treeRoot({ config }, part) {
  const { steps, shared } = config;
  let below2 = Array.from({ length: steps }, (_, t2) => leafOf(t2, part(shared ? "W" : `W.${t2}`)));
  treeOf(steps).forEach((nodes, level) => {
    if (level === 0) return;
    below2 = nodes.map((_, place) => {
      const [major, minor] = [below2[2 * place], below2[2 * place + 1]];
      if (minor === void 0) return major;
      const B = part(shared ? `B.${level}` : `B.${level}.${place}`);
      const width = B.shape[B.shape.length - 1];
      const core2 = B.shape.length === 2 ? { form: "diagonal", values: B.data } : { form: "full", values: swapped(B.data, B.shape) };
      return { major, minor, core: core2, R: major.width, width };
    });
  });
  return below2[0];
}
function swapped(data, [A, B, K]) {
  const out = data.slice();
  for (let a = 0; a < A; a++) {
    for (let b = 0; b < B; b++) {
      out.set(data.subarray((a * B + b) * K, (a * B + b + 1) * K), (b * A + a) * K);
    }
  }
  return out;
}

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

// src/analysis/exact/dyadic.ts
var double = new Float64Array(1);
var halves = new Uint32Array(double.buffer);
var HIGH = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;
function decompose(x) {
  if (x === 0) return { mantissa: 0, exponent: 0 };
  double[0] = x;
  const high = halves[HIGH];
  const low = halves[1 - HIGH];
  const biased = high >>> 20 & 2047;
  const top = (high & 1048575) + (biased === 0 ? 0 : 1048576);
  const zeros = low === 0 ? 32 + trailingZeros(top) : trailingZeros(low);
  const mantissa = (top * 2 ** 32 + low) / 2 ** zeros;
  return { mantissa: x < 0 ? -mantissa : mantissa, exponent: Math.max(biased, 1) - 1075 + zeros };
}
var trailingZeros = (word) => 31 - Math.clz32(word & -word);
function dyadic(values) {
  const exponent = grainOf(values);
  const integers = [];
  for (let n = 0; n < values.length; n++) {
    const part = decompose(values[n]);
    integers.push(part.mantissa === 0 ? 0n : BigInt(part.mantissa) << BigInt(part.exponent - exponent));
  }
  return { exponent, integers };
}
function grainOf(values) {
  let grain = 0;
  for (let n = 0; n < values.length; n++) {
    if (values[n] !== 0) grain = Math.min(grain, decompose(values[n]).exponent);
  }
  return grain;
}
function rescaled({ integers, exponent }, smaller) {
  if (smaller === exponent) return integers;
  const shift = BigInt(exponent - smaller);
  return integers.map((n) => n << shift);
}
function compare(x, xExponent, y, yExponent) {
  const least = Math.min(xExponent, yExponent);
  const difference = (x << BigInt(xExponent - least)) - (y << BigInt(yExponent - least));
  return difference > 0n ? 1 : difference < 0n ? -1 : 0;
}
var KEPT_BITS = 96;
function toDouble(integer2, exponent) {
  if (integer2 === 0n) return { value: 0, error: 0 };
  const bits = 4 * (integer2 < 0n ? -integer2 : integer2).toString(16).length;
  const cut = Math.max(0, bits - KEPT_BITS);
  const head = Number(integer2 >> BigInt(cut));
  const scale = exponent + cut;
  const half = Math.trunc(scale / 2);
  const value = head * 2 ** half * 2 ** (scale - half);
  const exact = bits <= 53 && exponent >= -1074;
  return { value, error: exact ? 0 : Math.abs(value) * 2 ** -52 + 2 ** -1073 };
}

// src/analysis/exact/definition.ts
var REMEMBERED = 4096;
var EXACT_XI = [
  "product",
  "rectifier",
  "max",
  "min",
  "sum",
  "relusum"
];
function checkExact(where, xi) {
  if (EXACT_XI.includes(xi)) return xi;
  const reason = `a \u03BE that maps dyadic rationals to dyadic rationals (${EXACT_XI.join(", ")}), as exact arithmetic needs`;
  throw mismatch("E_ARGUMENT", `${where} xi`, reason, xi);
}
var larger = (x, y) => y > x ? y : x;
var positive = (x) => x > 0n ? x : 0n;
var itself = (x) => x;
var OPERATORS = {
  product: { of: (x, y) => x * y, unit: itself },
  rectifier: { of: (x, y) => positive(larger(x, y)), unit: positive },
  max: { of: larger, unit: itself },
  min: { of: (x, y) => y < x ? y : x, unit: itself },
  sum: { of: (x, y) => x + y, unit: itself },
  relusum: { of: (x, y) => positive(x) + positive(y), unit: positive }
};
var ExactNetwork = class {
  xi;
  root;
  choice;
  /** All rows of nodes for which somebody computed them. */
  known = /* @__PURE__ */ new Map();
  counts;
  F;
  features;
  leaves = /* @__PURE__ */ new Map();
  cores = /* @__PURE__ */ new Map();
  remembered = /* @__PURE__ */ new Map();
  /** choice[t] lists the templates that are shown at step t; F has the features [M, features] of all. */
  constructor(tree, F, features, choice) {
    this.xi = checkExact("exact evaluation", tree.xi);
    this.root = tree.root;
    this.choice = choice;
    this.counts = choice.map((list) => list.length);
    this.F = F;
    this.features = features;
  }
  rows(node) {
    return rowsOf(node, this.counts);
  }
  /** All rows of a leaf, [choices, L]. */
  leaf(leaf) {
    const known = this.leaves.get(leaf);
    if (known) return known;
    const { features, F } = this;
    const C = dyadic(leaf.projection);
    const integers = this.choice[leaf.mode].flatMap(
      (m) => Array.from({ length: leaf.width }, (_, i) => {
        let sum = 0n;
        for (let f = 0; f < features; f++) {
          const [x, y] = [C.integers[i * features + f], F.integers[m * features + f]];
          if (x !== 0n && y !== 0n) sum += x * y;
        }
        return sum;
      })
    );
    const values = { integers, exponent: C.exponent + F.exponent };
    this.leaves.set(leaf, values);
    return values;
  }
  /** One row of a node: the state after the sequence of choices that the row stands for. */
  row(node, row) {
    const all = isLeaf(node) ? this.leaf(node) : this.known.get(node);
    if (isLeaf(node) || all) {
      const { integers, exponent } = all;
      return { integers: integers.slice(row * node.width, (row + 1) * node.width), exponent };
    }
    const memory = this.remembered.get(node) ?? /* @__PURE__ */ new Map();
    this.remembered.set(node, memory);
    let values = memory.get(row);
    if (!values) {
      values = this.join(node, row);
      if (memory.size >= REMEMBERED) memory.clear();
      memory.set(row, values);
    }
    return values;
  }
  join(node, row) {
    const M = this.rows(node.minor);
    const minor = this.row(node.minor, row % M);
    const { of, unit } = OPERATORS[this.xi];
    if (node.major === null) {
      const z = { integers: minor.integers.map(unit), exponent: minor.exponent };
      return this.weigh(node, (i) => z.integers[i], z.exponent);
    }
    const major = this.row(node.major, Math.floor(row / M));
    if (this.xi === "product") {
      const exponent2 = major.exponent + minor.exponent;
      return this.weigh(node, (i, j) => of(minor.integers[i], major.integers[j]), exponent2);
    }
    const exponent = Math.min(major.exponent, minor.exponent);
    const [x, y] = [minor, major].map((side) => rescaled(side, exponent));
    return this.weigh(node, (i, j) => of(x[i], y[j]), exponent);
  }
  weigh(node, joined2, exponent) {
    const { core: core2, minor, R, width: K } = node;
    if (core2.form === "none") {
      return { integers: Array.from({ length: K }, (_, r) => joined2(r, r)), exponent };
    }
    const weights = this.cores.get(node) ?? dyadic(core2.values);
    this.cores.set(node, weights);
    const integers = new Array(K).fill(0n);
    const add = (i, j, from) => {
      const value = joined2(i, j);
      if (value === 0n) return;
      for (let k = 0; k < K; k++) integers[k] += weights.integers[from + k] * value;
    };
    if (core2.form === "diagonal") for (let r = 0; r < R; r++) add(r, r, r * K);
    else {
      for (let i = 0; i < minor.width; i++) for (let j = 0; j < R; j++) add(i, j, (i * R + j) * K);
    }
    return { integers, exponent: weights.exponent + exponent };
  }
};
function exactFeatures(where, model, templates) {
  const { inputs: N2, features, dtype } = model.config;
  const { size: M, activation } = features;
  if (activation === "tanh") {
    const reason = "identity or relu, whose values of dyadic rationals are dyadic rationals";
    throw mismatch("E_ARGUMENT", `${where} features.activation`, reason, activation);
  }
  const { data, shape } = checkTensor(`${where} templates`, templates, [-1, N2], dtype);
  const { "features.A": weights, "features.b": biases } = model.parameters;
  const [A, b, X] = [weights.data, biases.data, data].map(dyadic);
  const product3 = A.exponent + X.exponent;
  const exponent = Math.min(product3, b.exponent);
  const bias = rescaled(b, exponent);
  const shift = BigInt(product3 - exponent);
  const integers = [];
  for (let m = 0; m < shape[0]; m++) {
    for (let f = 0; f < M; f++) {
      let sum = 0n;
      for (let n = 0; n < N2; n++) {
        const [x, y] = [A.integers[f * N2 + n], X.integers[m * N2 + n]];
        if (x !== 0n && y !== 0n) sum += x * y;
      }
      const z = (sum << shift) + bias[f];
      integers.push(activation === "relu" ? positive(z) : z);
    }
  }
  return { integers, exponent };
}

// src/analysis/exact/values.ts
function exactValues(field, { integers, exponent }, width) {
  const rows = width === 0 ? 0 : integers.length / width;
  const residues = Float64Array.from(integers, (n) => field.ofDyadic(n, exponent));
  const doubles = new Float64Array(integers.length);
  const error = new Float64Array(width);
  const zero2 = new Uint8Array(rows).fill(1);
  integers.forEach((n, at2) => {
    if (n !== 0n) zero2[Math.floor(at2 / width)] = 0;
    const rounded = toDouble(n, exponent);
    doubles[at2] = rounded.value;
    error[at2 % width] = Math.max(error[at2 % width], rounded.error);
  });
  const top = topOf(doubles, width, error);
  checkRange(top);
  return { rows, width, residues, doubles, error, top, grain: exponent, zero: zero2 };
}
function zeroValues(width) {
  const none = () => new Float64Array(width);
  const zero2 = Uint8Array.of(1);
  return { rows: 1, width, residues: none(), doubles: none(), error: none(), top: none(), grain: 0, zero: zero2 };
}
function topOf(doubles, width, error) {
  const top = new Float64Array(width);
  for (let at2 = 0, k = 0; at2 < doubles.length; at2++) {
    const size = Math.abs(doubles[at2]);
    if (size > top[k]) top[k] = size;
    if (++k === width) k = 0;
  }
  return top.map((size, k) => (size + error[k]) * (1 + 2 ** -50));
}
function checkRange(bounds) {
  if (bounds.every(Number.isFinite)) return;
  throw new XiError(
    "E_NUMERIC",
    "exact evaluation: expected values within the range of float64, they overflow"
  );
}
function positivePart(values, sign) {
  const { rows, width, error, doubles, residues } = values;
  const zero2 = new Uint8Array(rows).fill(1);
  for (let row = 0, at2 = 0; row < rows; row++) {
    const dead = values.zero[row] === 1;
    for (let k = 0; k < width; k++, at2++) {
      const x = doubles[at2];
      const bound = error[k];
      if (x > bound) zero2[row] = 0;
      else if (!dead && bound > 0 && x >= -bound && sign(row, k) > 0) {
        doubles[at2] = Math.max(x, Number.MIN_VALUE);
        zero2[row] = 0;
      } else doubles[at2] = residues[at2] = 0;
    }
  }
  return { ...values, zero: zero2 };
}
function negated(field, values) {
  return {
    ...values,
    doubles: values.doubles.map((x) => -x),
    residues: values.residues.map((r) => field.negate(r))
  };
}

// src/analysis/exact/bounds.ts
var UNIT = 2 ** -53;
function joinBounds(combine, major, minor, weights) {
  const K = weights?.K ?? major.width;
  const size = new Float64Array(K);
  const carried = new Float64Array(K);
  for (let j = 0; j < major.width; j++) {
    for (const i of weights ? weights.partners(j) : [j]) {
      const pair = PAIR[combine](minor.top[i], minor.error[i], major.top[j], major.error[j]);
      const from = weights ? weights.at(i, j) : j;
      for (let k = 0; k < (weights ? K : 1); k++) {
        const at2 = weights ? k : j;
        const weight = weights ? Math.abs(weights.doubles[from + k]) : 1;
        size[at2] += weight * pair.size;
        carried[at2] += weight * pair.error;
      }
    }
  }
  checkRange(size);
  checkRange(carried);
  const joined2 = combine === "product" ? major.grain + minor.grain : Math.min(major.grain, minor.grain);
  const grain = joined2 + (weights?.grain ?? 0);
  const exact = [...major.error, ...minor.error].every((e) => e === 0) && size.every((s) => s <= 2 ** 52 * 2 ** grain);
  if (exact) return { error: new Float64Array(K), grain };
  const operations = 2 * (minor.width + major.width) + 8;
  const gamma = operations * UNIT / (1 - operations * UNIT);
  const underflow = operations * minor.width * major.width * 2 ** -1074;
  const error = carried.map(
    (c, k) => size[k] === 0 ? 0 : (c + gamma * size[k]) * (1 + 2 ** -20) + underflow
  );
  return { error, grain };
}
var PAIR = {
  max: (a, da, h, dh) => ({ size: Math.max(a, h), error: Math.max(da, dh) }),
  sum: (a, da, h, dh) => ({ size: a + h, error: da + dh }),
  product: (a, da, h, dh) => ({ size: a * h, error: da * h + dh * a + da * dh })
};

// src/analysis/exact/places.ts
var BUCKETS = 4;
var Places = class {
  keys;
  starts;
  low;
  scale;
  constructor(keys) {
    const count = keys.length * BUCKETS;
    this.keys = keys;
    this.low = keys[0] ?? 0;
    const range = (keys[keys.length - 1] ?? 0) - this.low;
    const scale = (count - 1) / range;
    this.scale = Number.isFinite(scale) && Number.isFinite(range) ? scale : 0;
    this.starts = new Int32Array(Math.max(1, count));
    for (let b = 0, n = 0; b < count; b++) {
      while (n < keys.length && this.bucket(keys[n]) < b) n++;
      this.starts[b] = n;
    }
  }
  below(x) {
    const { keys } = this;
    let n = this.starts[this.bucket(x)];
    while (n > 0 && keys[n - 1] >= x) n--;
    while (n < keys.length && keys[n] < x) n++;
    return n;
  }
  bucket(x) {
    const b = (x - this.low) * this.scale;
    return b > 0 ? Math.min(this.starts.length - 1, Math.trunc(b)) : 0;
  }
};

// src/analysis/exact/tables.ts
function tableSizes(combine, weights, j, count) {
  const positions = combine === "max" ? count * weights.partners(j).length + 1 : 1;
  return { positions, length: count * weights.K };
}
function emptyTables(size, wantDoubles) {
  const array = (wanted) => new Float64Array(wanted ? size : 0);
  return {
    slope: array(true),
    offset: array(true),
    slopeDouble: array(wantDoubles),
    offsetDouble: array(wantDoubles)
  };
}
function orderOf(minor, weights, j, first2, count) {
  const partners = weights.partners(j);
  const pairs = Array.from({ length: count }, (_, q) => partners.map((i) => ({ q, i }))).flat();
  const key = ({ q, i }) => minor.doubles[(first2 + q) * minor.width + i];
  pairs.sort((x, y) => key(x) - key(y));
  return {
    keys: Float64Array.from(pairs, key),
    q: Int32Array.from(pairs, ({ q }) => q),
    i: Int32Array.from(pairs, ({ i }) => i)
  };
}
function fillTables(field, combine, minor, weights, j, { first: first2, count, order }, tables) {
  const { positions, length } = tableSizes(combine, weights, j, count);
  const { K } = weights;
  const last = (positions - 1) * length;
  const all = [tables.slope, tables.offset, tables.slopeDouble, tables.offsetDouble];
  for (const table of all) {
    if (table.length > 0) {
      table.fill(0, 0, length);
      table.fill(0, last, last + length);
    }
  }
  const withDoubles = tables.slopeDouble.length > 0;
  const add = (exact, double2, base, q, i, scaled2) => {
    const from = weights.at(i, j);
    const a = (first2 + q) * minor.width + i;
    const to = base + q * K;
    const residue = scaled2 ? minor.residues[a] : 1;
    const factor = scaled2 ? minor.doubles[a] : 1;
    for (let k = 0; k < K; k++) {
      exact[to + k] = field.add(exact[to + k], field.multiply(weights.residues[from + k], residue));
      if (withDoubles) double2[to + k] += weights.doubles[from + k] * factor;
    }
  };
  const { slope, offset, slopeDouble, offsetDouble } = tables;
  if (combine !== "max") {
    for (let q = 0; q < count; q++) {
      for (const i of weights.partners(j)) {
        add(slope, slopeDouble, 0, q, i, combine === "product");
        if (combine === "sum") add(offset, offsetDouble, 0, q, i, true);
      }
    }
    return;
  }
  for (let s = 0; s < positions - 1; s++) {
    const from = s * length;
    slope.copyWithin(from + length, from, from + length);
    if (withDoubles) slopeDouble.copyWithin(from + length, from, from + length);
    add(slope, slopeDouble, from + length, order.q[s], order.i[s], false);
  }
  for (let s = positions - 2; s >= 0; s--) {
    const to = s * length;
    offset.copyWithin(to, to + length, to + 2 * length);
    if (withDoubles) offsetDouble.copyWithin(to, to + length, to + 2 * length);
    add(offset, offsetDouble, to, order.q[s], order.i[s], true);
  }
}

// src/analysis/exact/join.ts
var TABLE_ELEMENTS = 2 ** 15;
function filteredJoin(request) {
  const { combine, major, minor, weights, positive: positive4, wantDoubles } = request;
  const K = weights?.K ?? major.width;
  const rows = major.rows * minor.rows;
  const residues = new Float64Array(rows * K);
  const doubles = new Float64Array(wantDoubles ? rows * K : 0);
  const none = new Float64Array(K);
  const { error, grain } = wantDoubles ? joinBounds(combine, major, minor, weights) : { error: none, grain: 0 };
  const zero2 = new Uint8Array(rows);
  if (positive4 && wantDoubles) {
    for (let p = 0; p < major.rows; p++) {
      if (major.zero[p]) zero2.set(minor.zero, p * minor.rows);
    }
  }
  if (weights === null) joinPairs(request, residues, doubles);
  else joinWeighed(request, weights, residues, doubles);
  const top = wantDoubles ? topOf(doubles, K, error) : none;
  return { rows, width: K, residues, doubles, error, top, grain, zero: zero2 };
}
function marginOf({ major, minor }, j, partners) {
  let most = 0;
  let top = major.top[j];
  for (const i of partners) {
    most = Math.max(most, minor.error[i]);
    top = Math.max(top, minor.top[i]);
  }
  const margin = major.error[j] + most;
  return margin === 0 ? 0 : margin * (1 + 2 ** -20) + top * 2 ** -51;
}
function joinWeighed(request, weights, residues, doubles) {
  const { field, combine, major, minor, wantDoubles } = request;
  const { K } = weights;
  const R = major.width;
  const perPosition = Math.max(1, K * (R > 0 ? weights.partners(0).length : 1));
  const block = Math.max(1, Math.min(minor.rows, Math.floor(Math.sqrt(TABLE_ELEMENTS / perPosition))));
  for (let first2 = 0; first2 < minor.rows; first2 += block) {
    const count = Math.min(block, minor.rows - first2);
    const { positions, length } = tableSizes(combine, weights, 0, count);
    const tables = emptyTables(positions * length, wantDoubles);
    let order;
    for (let j = 0; j < R; j++) {
      if (combine === "max" && (order === void 0 || !weights.full))
        order = orderOf(minor, weights, j, first2, count);
      const part = { first: first2, count, order: order ?? NO_ORDER };
      fillTables(field, combine, minor, weights, j, part, tables);
      addComponent(request, weights, j, part, tables, residues, doubles);
      if ((j + 1) % field.chunk === 0 || j === R - 1)
        reduceAll(field, residues, minor.rows * K, first2 * K, length);
    }
  }
}
var NO_ORDER = { keys: new Float64Array(0), q: new Int32Array(0), i: new Int32Array(0) };
function reduceAll(field, residues, stride, start, length) {
  for (let row = start; row < residues.length; row += stride) {
    for (let at2 = row; at2 < row + length; at2++) residues[at2] = field.reduce(residues[at2]);
  }
}
function addComponent(request, weights, j, part, tables, residues, doubles) {
  const { combine, major, minor, positive: positive4, wantDoubles } = request;
  const { K } = weights;
  const { keys } = part.order;
  const length = part.count * K;
  const margin = combine === "max" ? marginOf(request, j, weights.partners(j)) : 0;
  const places = new Places(keys);
  const zeros = positive4 ? places.below(Number.MIN_VALUE) : 0;
  const { slope, offset, slopeDouble, offsetDouble } = tables;
  const { residues: majorResidues, doubles: majorDoubles, width: R, rows: P } = major;
  const stride = minor.rows * K;
  for (let p = 0, at2 = j, to = part.first * K; p < P; p++, at2 += R, to += stride) {
    const h = majorResidues[at2];
    const x = majorDoubles[at2];
    let position = 0;
    if (combine === "max" && !(positive4 && x === 0)) {
      position = Math.max(zeros, places.below(x - margin));
      if (margin > 0 && position < keys.length && keys[position] <= x + margin) {
        addUndecided(request, weights, p, j, part, margin, residues, doubles);
        continue;
      }
    }
    const from = position * length;
    for (let n = 0; n < length; n++) residues[to + n] += slope[from + n] * h + offset[from + n];
    if (!wantDoubles) continue;
    for (let n = 0; n < length; n++) doubles[to + n] += slopeDouble[from + n] * x + offsetDouble[from + n];
  }
}
function addUndecided({ field, major, minor, wantDoubles, positive: positive4, below: below2 }, { K, doubles: G, residues: Gr, partners, at: at2 }, p, j, { first: first2, count }, margin, residues, doubles) {
  const h = p * major.width + j;
  const x = major.doubles[h];
  for (let q = 0; q < count; q++) {
    const to = (p * minor.rows + first2 + q) * K;
    for (const i of partners(j)) {
      const a = (first2 + q) * minor.width + i;
      const y = minor.doubles[a];
      const decided = Math.abs(x - y) > margin || positive4 && y === 0;
      const isBelow = decided ? y < x : below2(p, j, first2 + q, i);
      const [residue, double2] = isBelow ? [major.residues[h], x] : [minor.residues[a], y];
      const from = at2(i, j);
      for (let k = 0; k < K; k++) {
        residues[to + k] = field.reduce(residues[to + k] + field.multiply(Gr[from + k], residue));
        if (wantDoubles) doubles[to + k] += G[from + k] * double2;
      }
    }
  }
}
function joinPairs(request, residues, doubles) {
  const { field, combine, major, minor, positive: positive4, wantDoubles, below: below2 } = request;
  const R = major.width;
  for (let r = 0; r < R; r++) {
    const margin = combine === "max" ? marginOf(request, r, [r]) : 0;
    for (let p = 0, to = r; p < major.rows; p++) {
      const h = p * R + r;
      const x = major.doubles[h];
      for (let q = 0; q < minor.rows; q++, to += R) {
        const a = q * R + r;
        const y = minor.doubles[a];
        if (combine === "max") {
          const close = margin > 0 && Math.abs(x - y) <= margin && !(positive4 && (x === 0 || y === 0));
          const isBelow = close ? below2(p, r, q, r) : y < x;
          residues[to] = isBelow ? major.residues[h] : minor.residues[a];
          if (wantDoubles) doubles[to] = isBelow ? x : y;
        } else if (combine === "sum") {
          residues[to] = field.add(major.residues[h], minor.residues[a]);
          if (wantDoubles) doubles[to] = x + y;
        } else {
          residues[to] = field.multiply(major.residues[h], minor.residues[a]);
          if (wantDoubles) doubles[to] = x * y;
        }
      }
    }
  }
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

// src/analysis/exact/modular.ts
var DEFAULT_PRIME = 16777213;
var LARGEST_PRIME = 2 ** 26;
function choosePrime(where, prime, seed) {
  if (prime !== void 0 && seed !== void 0)
    throw mismatch("E_ARGUMENT", where, "a prime or a seed that chooses one", { prime, seed });
  if (prime !== void 0) {
    integer(`${where} prime`, prime, 3, LARGEST_PRIME);
    if (!isPrime(prime)) throw mismatch("E_ARGUMENT", `${where} prime`, "a prime", prime);
    return prime;
  }
  if (seed === void 0) return DEFAULT_PRIME;
  integer(`${where} seed`, seed, 0, Number.MAX_SAFE_INTEGER);
  const rng = new Rng(seed, 24);
  for (; ; ) {
    const candidate = 2 ** 23 + rng.below(2 ** 23);
    if (isPrime(candidate)) return candidate;
  }
}
function isPrime(n) {
  if (n < 4) return n > 1;
  if (n % 2 === 0) return false;
  for (let d = 3; d * d <= n; d += 2) if (n % d === 0) return false;
  return true;
}
var PrimeField = class {
  p;
  /** Products of two residues, each with a residue beside it, that can be added to a residue within 2⁵³. */
  chunk;
  inverse;
  powers = /* @__PURE__ */ new Map();
  constructor(p) {
    this.p = p;
    this.inverse = 1 / p;
    this.chunk = Math.floor((2 ** 53 - 2 * p) / (p * p + p));
  }
  /** x mod p for an integer 0 ≤ x ≤ 2⁵³ − p; the quotient may be off by one, which the remainder shows. */
  reduce(x) {
    const r = x - Math.floor(x * this.inverse) * this.p;
    return r < 0 ? r + this.p : r >= this.p ? r - this.p : r;
  }
  multiply(x, y) {
    return this.reduce(x * y);
  }
  add(x, y) {
    const sum = x + y;
    return sum >= this.p ? sum - this.p : sum;
  }
  negate(x) {
    return x === 0 ? 0 : this.p - x;
  }
  power(base, exponent) {
    let result = 1;
    for (let e = exponent, square = base; e > 0; e = Math.floor(e / 2), square = this.multiply(square, square)) {
      if (e % 2 === 1) result = this.multiply(result, square);
    }
    return result;
  }
  invert(x) {
    return this.power(x, this.p - 2);
  }
  /** 2^exponent, also for negative exponents: 2 has an inverse, so that dyadic numbers have residues. */
  powerOfTwo(exponent) {
    let power2 = this.powers.get(exponent);
    if (power2 === void 0) {
      power2 = exponent < 0 ? this.invert(this.power(2, -exponent)) : this.power(2, exponent);
      this.powers.set(exponent, power2);
    }
    return power2;
  }
  /** The residue of a finite double. */
  ofDouble(x) {
    const { mantissa, exponent } = decompose(x);
    const size = this.multiply(Math.abs(mantissa) % this.p, this.powerOfTwo(exponent));
    return mantissa < 0 ? this.negate(size) : size;
  }
  ofDyadic(integer2, exponent) {
    const remainder = Number(integer2 % BigInt(this.p));
    return this.multiply(remainder < 0 ? remainder + this.p : remainder, this.powerOfTwo(exponent));
  }
};

// src/analysis/exact/rows.ts
var positive2 = (x) => x > 0n ? x : 0n;
var FEW_ROWS = 3;
function exactRows(network, node) {
  if (isLeaf(node)) return network.leaf(node);
  const known = network.known.get(node);
  if (known) return known;
  const rows = node.core.form === "none" || node.major === null ? oneByOne(network, node) : joined(network, node);
  network.known.set(node, rows);
  return rows;
}
function oneByOne(network, node) {
  const all = Array.from({ length: network.rows(node) }, (_, row) => network.row(node, row));
  return { integers: all.flatMap(({ integers }) => integers), exponent: all[0]?.exponent ?? 0 };
}
function joined(network, node) {
  const { xi } = network;
  const { core: core2, R, width: K } = node;
  if (core2.form === "none") return oneByOne(network, node);
  const L = node.minor.width;
  const [majorSide, minorSide] = [exactRows(network, node.major), exactRows(network, node.minor)];
  const scale = Math.min(majorSide.exponent, minorSide.exponent);
  const sign = xi === "min" ? -1n : 1n;
  const operand = (side) => {
    const integers = xi === "product" ? side.integers : rescaled(side, scale);
    if (xi === "min") return integers.map((n) => -n);
    return xi === "rectifier" || xi === "relusum" ? integers.map(positive2) : integers;
  };
  const [major, minor] = [operand(majorSide), operand(minorSide)];
  const weights = dyadic(core2.values);
  const P = R === 0 ? 0 : major.length / R;
  const Q = L === 0 ? 0 : minor.length / L;
  if (P < FEW_ROWS) return oneByOne(network, node);
  const out = new Array(P * Q * K).fill(0n);
  for (let q = 0; q < Q; q++) {
    for (let j = 0; j < R; j++) {
      const partners = core2.form === "full" ? Array.from({ length: L }, (_, i) => i) : [j];
      const pairs = partners.map((i) => ({
        a: minor[q * L + i],
        from: core2.form === "full" ? (i * R + j) * K : j * K
      }));
      const weight = (from, k) => sign * weights.integers[from + k];
      const { keys, slopes, offsets: offsets3 } = lines(xi, pairs, weight, K);
      for (let p = 0; p < P; p++) {
        const h = major[p * R + j];
        const position = below(keys, h);
        const [slope, offset] = [slopes[position], offsets3[position]];
        const to = (p * Q + q) * K;
        for (let k = 0; k < K; k++) out[to + k] += slope[k] * h + offset[k];
      }
    }
  }
  const pair = xi === "product" ? majorSide.exponent + minorSide.exponent : scale;
  return { integers: out, exponent: weights.exponent + pair };
}
function lines(xi, pairs, weight, K) {
  const add = (to, from, factor) => to.map((sum, k) => sum + weight(from, k) * factor);
  const none = new Array(K).fill(0n);
  if (xi === "product" || xi === "sum" || xi === "relusum") {
    const product3 = xi === "product";
    const slope = pairs.reduce(
      (sum, { a, from }) => add(sum, from, product3 ? a : 1n),
      none
    );
    const offset = product3 ? none : pairs.reduce((sum, { a, from }) => add(sum, from, a), none);
    return { keys: [], slopes: [slope], offsets: [offset] };
  }
  const ordered = [...pairs].sort((x, y) => x.a < y.a ? -1 : x.a > y.a ? 1 : 0);
  const slopes = [none];
  for (const { from } of ordered) slopes.push(add(slopes[slopes.length - 1], from, 1n));
  const offsets3 = [none];
  for (const { a, from } of [...ordered].reverse()) offsets3.unshift(add(offsets3[0], from, a));
  return { keys: ordered.map(({ a }) => a), slopes, offsets: offsets3 };
}
function below(keys, h) {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = low + high >>> 1;
    if (keys[middle] < h) low = middle + 1;
    else high = middle;
  }
  return low;
}

// src/analysis/exact/filtered.ts
var plain = { positive: false, negate: false };
var FORMS = {
  product: { ...plain, combine: "product" },
  rectifier: { ...plain, combine: "max", positive: true },
  max: { ...plain, combine: "max" },
  // Σ G min(x, y) = Σ (−G) max(−x, −y).
  min: { ...plain, combine: "max", negate: true },
  sum: { ...plain, combine: "sum" },
  relusum: { ...plain, combine: "sum", positive: true }
};
var KEPT_VALUES = 2 ** 20;
var UNIT2 = 2 ** -53;
var RENEWED_PRODUCTS = 2 ** 23;
var ROWS_THAT_FOLLOW = 64;
function filteredResidues(network, prime, options = {}) {
  return new Filtered(network, prime).run(options);
}
var Filtered = class {
  network;
  field;
  form;
  counts;
  weights = /* @__PURE__ */ new Map();
  /** Joins since all doubles of a node were rounded once. */
  ages = /* @__PURE__ */ new Map();
  /** Operands, ready to be joined, of nodes that many rows are joined with. */
  operands = /* @__PURE__ */ new Map();
  undecided = 0;
  constructor(network, prime) {
    this.network = network;
    this.field = new PrimeField(prime);
    this.form = FORMS[network.xi];
    this.counts = network.choice.map((list) => list.length);
  }
  run({ signal, onProgress }) {
    const { root } = this.network;
    const total = rowsOf(root, this.counts);
    let values;
    forEachBlock(root, this.counts, 16, (begin, end) => {
      if (signal?.aborted)
        throw new XiError("E_ABORTED", `exact evaluation: stopped after ${begin} of ${total} rows`);
      const { residues, first: first2 } = this.evaluate(root, begin, end, false);
      const part = residues.subarray((begin - first2) * root.width, (end - first2) * root.width);
      if (part.length === total * root.width) values = part;
      else {
        values ??= new Float64Array(total * root.width);
        values.set(part, begin * root.width);
      }
      onProgress?.(end, total);
    });
    return { values: values ?? new Float64Array(0), undecided: this.undecided };
  }
  /** At least the rows [begin, end) of a node, from row `first` on. */
  evaluate(node, begin, end, wantDoubles) {
    const { field, network, form: form2 } = this;
    if (isLeaf(node)) return { ...exactValues(field, network.leaf(node), node.width), first: 0 };
    const M = rowsOf(node.minor, this.counts);
    const [from, to] = [Math.floor(begin / M), Math.ceil(end / M)];
    const minor = this.operand(node.minor, 0, M);
    const weights = this.weightsOf(node);
    const common = { field, minor, weights, positive: form2.positive, wantDoubles };
    if (node.major === null) {
      const below3 = () => {
        throw mismatch("E_NUMERIC", "exact evaluation", "no comparison with the unit", "one");
      };
      const joined3 = filteredJoin({ ...common, combine: "sum", major: zeroValues(node.R), below: below3 });
      return { ...this.signed(node, joined3), first: 0 };
    }
    const major = this.operand(node.major, from, to);
    const below2 = (p, j, q, i) => this.below(node, major.first + p, j, q, i);
    const joined2 = filteredJoin({ ...common, combine: form2.combine, major, below: below2 });
    return { ...this.signed(node, joined2), first: major.first * M };
  }
  /** min without weights: −max(−x, −y). */
  signed(node, values) {
    return this.form.negate && node.core.form === "none" ? negated(this.field, values) : values;
  }
  /** Rows [begin, end) of a child, as the operator takes them. */
  operand(node, begin, end) {
    const rows = rowsOf(node, this.counts);
    const keep = rows * node.width <= KEPT_VALUES || begin === 0 && end === rows;
    const known = this.operands.get(node);
    if (known) return sliced({ ...known, first: 0 }, begin, end);
    const evaluated = keep ? this.evaluate(node, 0, rows, true) : this.evaluate(node, begin, end, true);
    const values = keep ? this.renewed(node, evaluated) : evaluated;
    const { first: first2 } = values;
    let ready = values;
    if (this.form.positive) {
      ready = positivePart(values, (row, k) => {
        this.undecided++;
        const sign = this.network.row(node, first2 + row).integers[k];
        return sign > 0n ? 1 : sign < 0n ? -1 : 0;
      });
    }
    if (this.form.negate) ready = negated(this.field, ready);
    if (keep) this.operands.set(node, ready);
    return sliced({ ...ready, first: first2 }, begin, end);
  }
  /**
   * The values from integers, their doubles rounded once, where that costs less than the comparisons that would be left to integers
   * later on.
   */
  renewed(node, values) {
    const { rows, width } = values;
    if (isLeaf(node) || rows * node.R * width > RENEWED_PRODUCTS) return values;
    if (rows * ROWS_THAT_FOLLOW > rowsOf(this.network.root, this.counts)) return values;
    if (this.expectedUndecided(node, values) * node.minor.width <= rows) return values;
    this.ages.set(node, 0);
    return { ...exactValues(this.field, exactRows(this.network, node), width), first: 0 };
  }
  /**
   * About how many comparisons the last join leaves undecided: bounds grow by Σ|G| a join, and so far have grown from the unit
   * roundoff to what they are. One that is undecided takes an exact row on either side, at the minor width times what one of all
   * rows costs.
   */
  expectedUndecided(node, { error, top }) {
    const relative = error.reduce((most, e, k) => e > 0 ? Math.max(most, e / top[k]) : most, 0);
    if (relative === 0) return 0;
    const age = 1 + Math.max(this.age(node.major), this.age(node.minor));
    this.ages.set(node, age);
    const growth = Math.max(1, relative / UNIT2) ** (1 / age);
    const { root } = this.network;
    const comparisons = rowsOf(root, this.counts) * (isLeaf(root) ? 1 : root.R * root.minor.width);
    return comparisons * relative * growth ** (joinsAbove(root, node) - 1);
  }
  age(node) {
    return node === null || isLeaf(node) ? 0 : this.ages.get(node) ?? 0;
  }
  below({ major, minor }, p, j, q, i) {
    this.undecided++;
    const y = this.network.row(minor, q);
    const x = this.network.row(major, p);
    const sign = compare(y.integers[i], y.exponent, x.integers[j], x.exponent);
    return this.form.negate ? sign > 0 : sign < 0;
  }
  weightsOf(node) {
    const known = this.weights.get(node);
    if (known !== void 0) return known;
    const made = node.core.form === "none" ? null : this.makeWeights(node, node.core);
    this.weights.set(node, made);
    return made;
  }
  makeWeights({ R, width: K, minor }, core2) {
    const { field, form: form2 } = this;
    const doubles = Float64Array.from(core2.values, (w3) => form2.negate ? -w3 : w3);
    const residues = doubles.map((w3) => field.ofDouble(w3));
    const grain = grainOf(doubles);
    const full = core2.form === "full";
    const everyone = Array.from({ length: minor.width }, (_, i) => i);
    const itself2 = Array.from({ length: R }, (_, j) => [j]);
    const shape = full ? { partners: () => everyone, at: (i, j) => (i * R + j) * K } : { partners: (j) => itself2[j], at: (_i, j) => j * K };
    return { doubles, residues, K, full, grain, ...shape };
  }
};
function joinsAbove(root, node) {
  if (root === node) return 0;
  if (isLeaf(root)) return Number.NEGATIVE_INFINITY;
  const sides = [root.major, root.minor].filter((side) => side !== null);
  return 1 + Math.max(...sides.map((side) => joinsAbove(side, node)));
}
function sliced(values, begin, end) {
  const { first: first2, width } = values;
  const part = (array) => array.subarray((begin - first2) * width, (end - first2) * width);
  return {
    ...values,
    rows: end - begin,
    residues: part(values.residues),
    doubles: part(values.doubles),
    zero: values.zero.subarray(begin - first2, end - first2),
    first: begin
  };
}
function filteredBytes(scores) {
  return 8 * scores + BLOCK_BYTES;
}

// src/analysis/matricize.ts
function splitModes(where, modes, rowModes2) {
  if (!Array.isArray(rowModes2))
    throw mismatch("E_ARGUMENT", `${where} rowModes`, "a list of modes", rowModes2);
  for (const mode2 of rowModes2) integer(`${where} rowModes`, mode2, 0, modes - 1);
  const rows = [...new Set(rowModes2)].sort((a, b) => a - b);
  if (rows.length !== rowModes2.length)
    throw mismatch("E_ARGUMENT", `${where} rowModes`, "each mode once", rowModes2);
  const columns = Array.from({ length: modes }, (_, mode2) => mode2).filter((mode2) => !rows.includes(mode2));
  return { rows, columns };
}
function matricize(tensor2, rowModes2) {
  return matricized(tensor2, rowModes2, allocate);
}
function matricized(tensor2, rowModes2, memory) {
  const { dtype, shape, data } = tensor2;
  const { rows, columns } = splitModes("matricize", shape.length, rowModes2);
  const extent = (modes) => elementCount(modes.map((mode2) => shape[mode2]));
  const result = { dtype, shape: [extent(rows), extent(columns)] };
  if (rows.every((mode2, n) => mode2 === n)) return { ...result, data };
  const [rowAt, columnAt] = [offsets(shape, rows), offsets(shape, columns)];
  const out = memory(dtype, data.length);
  const width = columnAt.length;
  for (let r = 0; r < rowAt.length; r++) {
    const [from, to] = [rowAt[r], r * width];
    for (let c = 0; c < width; c++) out[to + c] = data[from + columnAt[c]];
  }
  return { ...result, data: out };
}
function offsets(shape, modes) {
  const strides = shape.map((_, mode2) => shape.slice(mode2 + 1).reduce((a, b) => a * b, 1));
  let list = Int32Array.of(0);
  for (const mode2 of modes) {
    const next = new Int32Array(list.length * shape[mode2]);
    list.forEach((base, n) => {
      for (let i = 0; i < shape[mode2]; i++) next[n * shape[mode2] + i] = base + i * strides[mode2];
    });
    list = next;
  }
  return list;
}
function gridOutput(grid, output) {
  const shape = grid.shape.slice(0, -1);
  const outputs = grid.shape[grid.shape.length - 1];
  checkTensor("gridOutput", grid, grid.shape, grid.dtype, { finite: false });
  integer("gridOutput output", output, 0, outputs - 1);
  if (outputs === 1) return { ...grid, shape };
  const data = allocate(grid.dtype, grid.data.length / outputs);
  for (let n = 0; n < data.length; n++) data[n] = grid.data[n * outputs + output];
  return { dtype: grid.dtype, shape, data };
}

// src/backend/storage.ts
var ArrayStorage = class _ArrayStorage {
  dtype;
  data;
  constructor(dtype, data) {
    this.dtype = dtype;
    this.data = typeof data === "number" ? allocate(dtype, checkLength(data)) : data;
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

// src/analysis/spectrum.ts
function singularValuesOf(backend2, matrix2) {
  const [m, n] = matrix2.shape;
  return borrowing((borrow) => backend2.singularValues(m, n, borrow(backend2.adopt(float64Of(matrix2)))));
}
function certifiedRankOf(backend2, matrix2, tolerance) {
  const [m, n] = matrix2.shape;
  return borrowing((borrow) => {
    const A = borrow(backend2.adopt(float64Of(matrix2)));
    const rank = backend2.certifiedRank(m, n, A, tolerance);
    return { rank, squares: rank === null ? Number.NaN : backend2.sumSquares(A) };
  });
}
function sumSquaresOf(backend2, matrix2) {
  return borrowing((borrow) => backend2.sumSquares(borrow(backend2.adopt(float64Of(matrix2)))));
}
var float64Of = ({ data }) => data instanceof Float64Array ? data : Float64Array.from(data);
function rankModuloOf(backend2, { shape: [m, n], data }, prime) {
  return borrowing((borrow) => backend2.rankModulo(m, n, borrow(backend2.adopt(data)), prime));
}

// src/analysis/exact_rank.ts
var KEYS = ["prime", "seed", "output", "memoryLimit", "signal", "onProgress"];
var DEFAULT_LIMIT = 2 ** 32;
function exactRank(model, templates, rowModes2, options = {}) {
  const where = "exactRank";
  knownKeys(where, options, KEYS);
  const { steps, outputs } = model.config;
  splitModes(where, steps, rowModes2);
  const prime = choosePrime(where, options.prime, options.seed);
  const output = integer(`${where} output`, options.output ?? 0, 0, outputs - 1);
  const count = templates?.shape?.[0] ?? 0;
  checkExactMemory(where, count ** steps, options.memoryLimit);
  const all = Array.from({ length: count }, (_, m) => m);
  const network = exactNetwork(where, model, templates, new Array(steps).fill(all), output);
  const { values, undecided } = filteredResidues(network, prime, options);
  const matrix2 = residueMatrix(network.choice, values, 1, 0, rowModes2);
  const [rows, columns] = matrix2.shape;
  const rank = rankModuloOf(model.backend, matrix2, prime);
  return { rank, prime, output, rowModes: [...rowModes2].sort((a, b) => a - b), rows, columns, undecided };
}
function checkExactMemory(where, scores, limit = DEFAULT_LIMIT) {
  const bytes = filteredBytes(3 * scores);
  if (!(bytes <= limit)) {
    throw new XiError(
      "E_MEMORY",
      `${where}: ${scores} exact scores need ${bytes} bytes, the limit is ${limit}`
    );
  }
}
function exactNetwork(where, model, templates, choice, output = "all") {
  checkExact(where, model.config.xi);
  const F = exactFeatures(where, model, templates);
  return new ExactNetwork(joinTree(model, output), F, model.config.features.size, choice);
}
function residueMatrix(choice, values, outputs, output, rowModes2) {
  const shape = [...choice.map((list) => list.length), outputs];
  return matricize(gridOutput({ dtype: "float64", shape, data: values }, output), rowModes2);
}

// src/core/scalar.ts
var zero = 0;
var one = 1;
function max(x, y) {
  const larger2 = x < y ? y : x;
  return Number.isNaN(y) ? y : larger2;
}
function min(x, y) {
  const smaller = y < x ? y : x;
  return Number.isNaN(y) ? y : smaller;
}
function positive3(x) {
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
    value: (x, y) => positive3(max(x, y)),
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
    value: (x, y) => positive3(x) + positive3(y),
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

// src/features/features.ts
function dense(data, cols) {
  return { data, rowStride: cols, colStride: 1 };
}
function transposed(view) {
  return { data: view.data, rowStride: view.colStride, colStride: view.rowStride };
}
function featuresForward(backend2, { rows, N: N2, M, activation }, x, A, b, F) {
  if (x instanceof Int32Array) backend2.embed(rows, M, N2, x, A, F);
  else backend2.matmul(rows, M, N2, dense(x, N2), transposed(dense(A, N2)), dense(F, M), false);
  backend2.activate(activation, rows, M, b, F);
}
function featuresBackward(backend2, { rows, N: N2, M, activation }, from, to) {
  backend2.activateGradient(activation, rows, M, from.F, from.dF, to.db);
  if (from.x instanceof Int32Array) backend2.embedGradient(rows, M, N2, from.x, from.dF, to.dA);
  else backend2.matmul(M, N2, rows, transposed(dense(from.dF, M)), dense(from.x, N2), dense(to.dA, N2), false);
  if (to.dx) backend2.matmul(rows, N2, M, dense(from.dF, M), dense(from.A, N2), dense(to.dx, N2), false);
}

// src/analysis/grid.ts
var DEFAULT_LIMIT2 = 2 ** 31;
function gridTensor(model, templates, options = {}) {
  const { steps, outputs, dtype } = model.config;
  const F = templateFeatures(model, templates);
  const counts2 = new Array(steps).fill(templates.shape[0]);
  const shape = [...counts2, outputs];
  checkMemory(shape, dtype, options.memoryLimit);
  const choice = counts2.map((count) => Array.from({ length: count }, (_, m) => m));
  const data = gridOf(model.backend, dtype, joinTree(model), F, choice, options);
  return { dtype, shape, data };
}
function templateFeatures(model, templates) {
  const { backend: backend2, config } = model;
  const { inputs: N2, features, dtype } = config;
  const { data, shape } = checkTensor("templates", templates, [-1, N2], dtype);
  const rows = shape[0];
  const { size: M, activation } = features;
  const { "features.A": A, "features.b": b } = model.parameters;
  const values = borrowing((borrow) => {
    const put = (from) => borrow(backend2.adopt(from));
    const F = borrow(backend2.allocate(dtype, rows * M));
    featuresForward(backend2, { rows, N: N2, M, activation }, put(data), put(A.data), put(b.data), F);
    return F.read();
  });
  return { dtype, shape: [rows, M], data: values };
}
function checkMemory(shape, dtype, limit = DEFAULT_LIMIT2) {
  const count = shape.reduce((product3, extent) => product3 * extent, 1);
  const bytes = count * (dtype === "float32" ? 4 : 8) + BLOCK_BYTES;
  if (bytes > limit) {
    throw new XiError(
      "E_MEMORY",
      `gridTensor: shape [${shape.join(", ")}] of ${dtype} needs ${bytes} bytes with its block, the limit is ${limit}`
    );
  }
  elementCount(shape, "gridTensor");
}
function gridOf(backend2, dtype, { xi, root }, F, choice, { signal, onProgress } = {}) {
  const counts2 = choice.map((list) => list.length);
  const total = rowsOf(root, counts2);
  let out;
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
  const leafValues = ({ mode: mode2, width, projection }) => {
    const features = F.shape[1];
    const rows = choice[mode2].length;
    const values = backend2.allocate(dtype, rows * width);
    borrowing((borrow) => {
      const shown = allocate(dtype, rows * features);
      choice[mode2].forEach((m, n) => {
        shown.set(F.data.subarray(m * features, (m + 1) * features), n * features);
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
    const M = rowsOf(node.minor, counts2);
    const minor = whole(node.minor);
    const [from, to] = [Math.floor(begin / M), Math.ceil(end / M)];
    const values = backend2.allocate(dtype, (to - from) * M * node.width);
    const core2 = coreOf(node);
    if (node.major === null) {
      const unit = backend2.allocate(dtype, node.R);
      unit.fill(XI[xi].unit);
      joinRows(backend2, xi, node, { P: 1, M }, unit, minor, core2, values);
      unit.release();
    } else {
      const { values: major, first: first2 } = evaluate(node.major, from, to);
      const rows = major.at((from - first2) * node.R, (to - from) * node.R);
      joinRows(backend2, xi, node, { P: to - from, M }, rows, minor, core2, values);
      major.release();
    }
    return { values, first: from * M };
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
      if (values.length === total * root.width) out = values.take();
      else {
        out ??= allocate(dtype, total * root.width);
        out.set(values.at((begin - first2) * root.width, (end - begin) * root.width).take(), begin * root.width);
        values.release();
      }
      onProgress?.(end * root.width, total * root.width);
    });
  } finally {
    for (const storage of kept) storage.release();
  }
  return out ?? allocate(dtype, 0);
}
function joinRows(backend2, xi, { core: core2, R, minor: { width: L }, width: K }, { P, M }, major, minor, weights, out) {
  if (core2.form === "full") {
    backend2.contractGrid(xi, { P, M, L, R, K }, minor, major, weights, out);
    return;
  }
  const pair = [
    { data: major, strides: [R, 0, 1] },
    { data: minor, strides: [0, R, 1] }
  ];
  const common = { xi, combine: "product", reduce: "sum", fromUnit: false, batch: [], left: pair };
  if (weights === null) {
    backend2.joined(
      { ...common, rows: [P, M, R], columns: [], terms: [], right: [], outStrides: [M * R, R, 1] },
      out
    );
    return;
  }
  const right = [{ data: weights, strides: [1, K] }];
  backend2.joined(
    { ...common, rows: [P, M], columns: [K], terms: [R], right, outStrides: [M * K, K, 1] },
    out
  );
}

// src/backend/select.ts
import { availableParallelism } from "node:os";

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
    projectFold(xi, { steps, B, R, M }, f, v, { sum, s, winners }) {
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
          M,
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
    winnerSums({ steps, P, Q, M }, winners, d, transposed2, x, out) {
      check2(
        "winnerSums",
        abi.xt_winner_sums(
          context,
          DTYPE_ID[d.dtype],
          steps,
          P,
          Q,
          M,
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
    singularValues(rows, cols, A) {
      const k = Math.min(rows, cols);
      return results(
        "singularValues",
        [k],
        ([s]) => abi.xt_singular_values(context, rows, cols, pointer(A), s)
      )[0];
    },
    svd(rows, cols, A) {
      const k = Math.min(rows, cols);
      const [U, s, V] = results(
        "svd",
        [rows * k, k, k * cols],
        ([u, values, v]) => abi.xt_svd(context, rows, cols, pointer(A), u, values, v)
      );
      return { U, s, V };
    },
    leftSvd(rows, cols, A) {
      const k = Math.min(rows, cols);
      const [U, s] = results(
        "leftSvd",
        [rows * k, k, null],
        ([u, values, v]) => abi.xt_svd(context, rows, cols, pointer(A), u, values, v)
      );
      return { U, s };
    },
    qr(rows, cols, A) {
      const k = Math.min(rows, cols);
      const [Q, R] = results(
        "qr",
        [rows * k, k * cols],
        ([q, r]) => abi.xt_qr(context, rows, cols, pointer(A), q, r)
      );
      return { Q, R };
    },
    triangle(rows, cols, A) {
      const k = Math.min(rows, cols);
      return results(
        "triangle",
        [null, k * cols],
        ([q, r]) => abi.xt_qr(context, rows, cols, pointer(A), q, r)
      )[1];
    },
    exceeds(rows, cols, A, bound) {
      check2("exceeds", abi.xt_full_rank(context, rows, cols, pointer(A), bound, result.pointer));
      return result.read()[0] === 1;
    },
    certifiedRank(rows, cols, A, tolerance) {
      check2("certifiedRank", abi.xt_numerical_rank(context, rows, cols, pointer(A), tolerance, result.pointer));
      const [rank, proven] = result.read();
      return proven === 1 ? rank : null;
    },
    rankModulo(rows, cols, A, prime) {
      check2("rankModulo", abi.xt_rank_modulo(context, rows, cols, pointer(A), prime, result.pointer));
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
    contract(xi, { B, L, R, K }, a, h, G, out, precision = "float32") {
      check(
        "contract",
        abi.xt_contract(
          contextAt(precision),
          DTYPE_ID[a.dtype],
          XI[xi].id,
          B,
          L,
          R,
          K,
          pointer(a),
          pointer(h),
          pointer(G),
          pointer(out)
        )
      );
    },
    packWeights(L, R, K, G, precision = "float32") {
      const dtype = DTYPE_ID[G.dtype];
      const at2 = contextAt(precision);
      check("packWeights", abi.xt_packed_length(at2, dtype, L, R, K, result.pointer));
      const values = binding.allocate(G.dtype, result.read()[0]);
      check("packWeights", abi.xt_pack_weights(at2, dtype, L, R, K, pointer(G), pointer(values)));
      return { L, R, K, precision, values };
    },
    contractPacked(xi, B, a, h, { L, R, K, precision, values }, out) {
      const [dtype, id] = [DTYPE_ID[a.dtype], XI[xi].id];
      check(
        "contractPacked",
        abi.xt_contract_packed(
          contextAt(precision),
          dtype,
          id,
          B,
          L,
          R,
          K,
          pointer(a),
          pointer(h),
          pointer(values),
          pointer(out)
        )
      );
    },
    contractGradient(xi, { B, L, R, K }, { a, h, G, dout }, { da, dh, dG }, accumulate) {
      check(
        "contractGradient",
        abi.xt_contract_gradient(
          context,
          DTYPE_ID[a.dtype],
          XI[xi].id,
          B,
          L,
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
    contractGrid(xi, { P, M, L, R, K }, a, h, G, out) {
      const [dtype, id] = [DTYPE_ID[a.dtype], XI[xi].id];
      check(
        "contractGrid",
        abi.xt_contract_grid(
          context,
          dtype,
          id,
          P,
          M,
          L,
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
    matmul(M, N2, K, A, B, C, accumulate) {
      check(
        "matmul",
        abi.xt_matmul(
          context,
          DTYPE_ID[A.data.dtype],
          M,
          N2,
          K,
          pointer(A.data),
          A.rowStride,
          A.colStride,
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
    embed(rows, M, N2, tokens, A, z) {
      const words = binding.words(tokens);
      check("embed", abi.xt_embed(context, DTYPE_ID[A.dtype], rows, M, N2, words, pointer(A), pointer(z)));
    },
    embedGradient(rows, M, N2, tokens, dz, dA) {
      const words = binding.words(tokens);
      const [dtype, from, to] = [DTYPE_ID[dA.dtype], pointer(dz), pointer(dA)];
      check("embedGradient", abi.xt_embed_gradient(context, dtype, rows, M, N2, words, from, to));
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
    adam(p, g, m, v, o) {
      check(
        "adam",
        abi.xt_adam(
          context,
          DTYPE_ID[p.dtype],
          p.length,
          pointer(p),
          pointer(g),
          pointer(m),
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
      const { steps, B, R, M } = sizes;
      const { sum, s, winners } = to;
      oneOf("xi", xi, XI_NAMES);
      counts("projectFold", sizes);
      const expect = sameDtype("projectFold", f.data.dtype);
      expect("f", f.data, extentOf("projectFold f", f, steps, B, M), true);
      expect("v", v.data, extentOf("projectFold v", v, steps, R, M), true);
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
      const { steps, P, Q, M } = sizes;
      counts("winnerSums", sizes);
      const expect = sameDtype("winnerSums", d.dtype);
      expect("winners", winners, P * Q);
      expect("d", d, P * Q);
      expect("x", x.data, extentOf("winnerSums x", x, steps, Q, M), true);
      expect("out", out.data, extentOf("winnerSums out", out, steps, P, M), true);
      kernels2.winnerSums(sizes, winners, d, transposed2, x, out);
    }
  };
}
function extentOf(where, { row, step }, steps, rows, M) {
  counts(where, { row, step });
  return steps === 0 || rows === 0 || M === 0 ? 0 : (steps - 1) * step + (rows - 1) * row + M;
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
function checkOperand(where, { data, strides }, batch, own, terms, dtype) {
  if (data.dtype !== dtype) throw mismatch("E_DTYPE", where, dtype, data.dtype);
  if (strides.length !== batch.length + own.length + terms.length) {
    const rule = `strides of ${batch.length} + ${own.length} + ${terms.length} axes`;
    throw mismatch("E_SHAPE", where, rule, strides);
  }
  const reach = new Reach(where);
  reach.add(batch, strides, 0);
  reach.add(own, strides, batch.length);
  reach.add(terms, strides, batch.length + own.length);
  reach.check(data);
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
  check(data) {
    if (this.empty || this.last < data.length) return;
    throw mismatch("E_SHAPE", this.where, `at least ${this.last + 1} elements`, data.length);
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
    const { data } = operands[n];
    if (!target) return;
    if (target.dtype !== data.dtype) throw mismatch("E_DTYPE", where, data.dtype, target.dtype);
    if (target.length !== data.length)
      throw mismatch("E_SHAPE", where, `${data.length} elements`, target.length);
  });
}

// src/backend/checks_linalg.ts
function checkedLinearAlgebra(kernels2) {
  const behind = (name, call) => (rows, cols, A, ...rest) => {
    checkMatrix(name, rows, cols, A);
    return call(rows, cols, A, ...rest);
  };
  return {
    singularValues: behind("singularValues", kernels2.singularValues),
    svd: behind("svd", kernels2.svd),
    leftSvd: behind("leftSvd", kernels2.leftSvd),
    qr: behind("qr", kernels2.qr),
    triangle: behind("triangle", kernels2.triangle),
    exceeds: behind("exceeds", (rows, cols, A, bound) => {
      if (!(bound >= 0 && bound < Number.POSITIVE_INFINITY))
        throw mismatch("E_ARGUMENT", "exceeds bound", "a non-negative number", bound);
      return kernels2.exceeds(rows, cols, A, bound);
    }),
    certifiedRank: behind("certifiedRank", (rows, cols, A, tolerance) => {
      if (!(tolerance >= 0 && tolerance < 1))
        throw mismatch("E_ARGUMENT", "certifiedRank tolerance", "a number from 0 and below 1", tolerance);
      return kernels2.certifiedRank(rows, cols, A, tolerance);
    }),
    rankModulo: behind("rankModulo", (rows, cols, A, prime) => {
      if (!isPrime2(integer("rankModulo prime", prime, 2, MAX_PRIME)))
        throw mismatch("E_ARGUMENT", "rankModulo prime", "a prime", prime);
      return kernels2.rankModulo(rows, cols, A, prime);
    })
  };
}
function checkMatrix(kernel, rows, cols, A) {
  for (const size of [rows, cols]) {
    if (!Number.isSafeInteger(size) || size < 0)
      throw mismatch("E_SHAPE", `${kernel} rows and cols`, "non-negative integers", [rows, cols]);
  }
  if (A.dtype !== "float64") throw mismatch("E_DTYPE", `${kernel} A`, "float64", A.dtype);
  if (A.length !== rows * cols) {
    throw new XiError("E_SHAPE", `${kernel} A: expected ${rows} \xD7 ${cols} elements, received ${A.length}`);
  }
}
function isPrime2(value) {
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
      const { B, L, R, K } = sizes;
      oneOf("xi", xi, XI_NAMES);
      if (precision !== void 0) precisionOf("contract", precision, a.dtype);
      counts("contract", sizes);
      const expect = sameDtype("contract", a.dtype);
      expect("a", a, B * L);
      expect("h", h, B * R);
      expect("G", G, L * R * K);
      expect("out", out, B * K);
      kernels2.contract(xi, sizes, a, h, G, out, precision);
    },
    packWeights(L, R, K, G, precision) {
      if (precision !== void 0) precisionOf("packWeights", precision, G.dtype);
      counts("packWeights", { L, R, K });
      sameDtype("packWeights", G.dtype)("G", G, L * R * K);
      const weights = kernels2.packWeights(L, R, K, G, precision);
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
      const { B, L, R, K } = sizes;
      oneOf("xi", xi, XI_NAMES);
      counts("contractGradient", sizes);
      const expect = sameDtype("contractGradient", from.a.dtype);
      expect("a", from.a, B * L);
      expect("h", from.h, B * R);
      expect("G", from.G, L * R * K);
      expect("dout", from.dout, B * K);
      expect("da", to.da, B * L);
      expect("dh", to.dh, B * R);
      expect("dG", to.dG, L * R * K);
      kernels2.contractGradient(xi, sizes, from, to, accumulate);
    },
    ...checkedJoined(kernels2),
    contractGrid(xi, sizes, a, h, G, out) {
      const { P, M, L, R, K } = sizes;
      oneOf("xi", xi, XI_NAMES);
      counts("contractGrid", sizes);
      const expect = sameDtype("contractGrid", a.dtype);
      expect("a", a, M * L);
      expect("h", h, P * R);
      expect("G", G, L * R * K);
      expect("out", out, P * M * K);
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
    matmul(M, N2, K, A, B, C, accumulate) {
      const expect = sameDtype("matmul", A.data.dtype);
      expect("A", A.data, extentOf2("A", A, M, K), true);
      expect("B", B.data, extentOf2("B", B, K, N2), true);
      expect("C", C.data, extentOf2("C", C, M, N2), true);
      if (C.colStride !== 1 || M > 1 && C.rowStride < N2) {
        throw mismatch("E_SHAPE", "matmul C", `dense rows of ${N2} that do not overlap`, [
          C.rowStride,
          C.colStride
        ]);
      }
      kernels2.matmul(M, N2, K, A, B, C, accumulate);
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
    embed(rows, M, N2, tokens, A, z) {
      counts("embed", { rows, M, N: N2 });
      indices("embed", tokens, rows, N2);
      const expect = sameDtype("embed", A.dtype);
      expect("A", A, M * N2);
      expect("z", z, rows * M);
      kernels2.embed(rows, M, N2, tokens, A, z);
    },
    embedGradient(rows, M, N2, tokens, dz, dA) {
      counts("embedGradient", { rows, M, N: N2 });
      indices("embedGradient", tokens, rows, N2);
      const expect = sameDtype("embedGradient", dz.dtype);
      expect("dz", dz, rows * M);
      expect("dA", dA, M * N2);
      kernels2.embedGradient(rows, M, N2, tokens, dz, dA);
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
    adam(p, g, m, v, options) {
      const expect = sameDtype("adam", p.dtype);
      expect("g", g, p.length);
      expect("m", m, p.length);
      expect("v", v, p.length);
      kernels2.adam(p, g, m, v, options);
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
    const missing2 = missingBytes(path);
    if (missing2 > 0) return refuse(`the binary is truncated: ${missing2} bytes are missing at its end`);
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
  const { data } = storage;
  if (data.byteLength >= POPULATED_BYTES) addon.xt_populate(data, data.byteLength);
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
  projectFold(xi, { steps, B, R, M }, f, v, to) {
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
          const z = dot(fs, at(f, t2, b), vs, at(v, t2, r), M);
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
  winnerSums({ steps, P, Q, M }, winnersIn, dIn, transposed2, x, out) {
    const [winners, d, xs, to] = [winnersIn, dIn, x.data, out.data].map(arrayOf);
    const strange = winners.find((winner) => !(winner >= -1 && winner < steps));
    if (strange !== void 0)
      throw mismatch("E_ARGUMENT", "winnerSums winners", `steps from 0 to ${steps - 1}, or -1`, strange);
    const sums = new Float64Array(steps * M);
    for (let p = 0; p < P; p++) {
      sums.fill(0);
      for (let q = 0; q < Q; q++) {
        const pair = transposed2 ? q * P + p : p * Q + q;
        const winner = winners[pair];
        if (winner < 0) continue;
        for (let m = 0; m < M; m++) sums[winner * M + m] += d[pair] * xs[at(x, winner, q) + m];
      }
      for (let t2 = 0; t2 < steps; t2++) {
        for (let m = 0; m < M; m++) to[at(out, t2, p) + m] += sums[t2 * M + m];
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
function offsets2(extents, strides) {
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
    g: offsets2(batch, outStrides.slice(0, nb)),
    m: offsets2(rows, outStrides.slice(nb, nb + nr)),
    n: offsets2(columns, outStrides.slice(nb + nr))
  };
  const walk = (side, extents) => side.map(({ strides }) => ({
    g: offsets2(batch, strides.slice(0, nb)),
    own: offsets2(extents, strides.slice(nb, nb + extents.length))
  }));
  const [lefts, rights] = [walk(left, rows), walk(right, columns)];
  for (let g = 0; g < out.g.length; g++) {
    for (let m = 0; m < out.m.length; m++) {
      const leftAt = lefts.map((operand) => operand.g[g] + operand.own[m]);
      for (let n = 0; n < out.n.length; n++) {
        visit(
          out.g[g] + out.m[m] + out.n[n],
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
    data: operands.map(({ data }) => arrayOf(data)),
    sums: operands.map(({ data }, n) => targets[n] ? new Float64Array(data.length) : null),
    term: operands.map(({ strides }) => offsets2(terms, strides.slice(strides.length - terms.length)))
  });
  const left = sideOf(plan.left, to?.left ?? []);
  const right = sideOf(plan.right, to?.right ?? []);
  const count = terms.reduce((product3, extent) => product3 * extent, 1);
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
  const z = side.data.map((data, n) => data[at2[n] + side.term[n][s]]);
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
  embed(rows, M, N2, tokens, AIn, zIn) {
    const [A, z] = [AIn, zIn].map(arrayOf);
    for (let r = 0; r < rows; r++) {
      for (let m = 0; m < M; m++) z[r * M + m] = A[m * N2 + tokens[r]];
    }
  },
  embedGradient(rows, M, N2, tokens, dzIn, dA) {
    const dz = arrayOf(dzIn);
    const sums = new Float64Array(M * N2);
    for (let r = 0; r < rows; r++) {
      for (let m = 0; m < M; m++) sums[m * N2 + tokens[r]] += dz[r * M + m];
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
    const [p, g, m, v] = [pIn, gIn, mIn, vIn].map(arrayOf);
    for (let n = 0; n < p.length; n++) {
      const gradient = g[n] * o.scale;
      m[n] = o.beta1 * m[n] + (1 - o.beta1) * gradient;
      v[n] = o.beta2 * v[n] + (1 - o.beta2) * gradient * gradient;
      const step = o.rate * (m[n] / o.correction1) / (Math.sqrt(v[n] / o.correction2) + o.epsilon);
      p[n] = (1 - o.decay) * p[n] - step;
    }
  }
};

// src/backend/reference_linalg.ts
var referenceLinearAlgebra = {
  singularValues: (rows, cols, A) => jacobi("singularValues", rows, cols, A).s,
  svd: (rows, cols, A) => jacobi("svd", rows, cols, A),
  leftSvd(rows, cols, A) {
    const { U, s } = jacobi("leftSvd", rows, cols, A);
    return { U, s };
  },
  qr: (rows, cols, A) => householder("qr", rows, cols, A),
  triangle: (rows, cols, A) => householder("triangle", rows, cols, A).R,
  exceeds(rows, cols, A, bound) {
    const { s } = jacobi("exceeds", rows, cols, A);
    return s.length === 0 || s[s.length - 1] > bound + (rows + cols) * Number.EPSILON * s[0];
  },
  certifiedRank(rows, cols, A) {
    checkFinite("certifiedRank A", arrayOf(A));
    return rows * cols === 0 ? 0 : null;
  },
  rankModulo(rows, cols, A, prime) {
    const residues = arrayOf(A).slice();
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
function scaled(kernel, A) {
  const values = Float64Array.from(arrayOf(A));
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
function jacobi(kernel, rows, cols, A) {
  const { values, scale } = scaled(kernel, A);
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
          let product3 = 0;
          for (let i = 0; i < n; i++) product3 += x[i] * y[i];
          for (let i = 0; i < n; i++) x[i] -= product3 * y[i];
        }
      }
      const length = norm(x);
      known[row] = length > 0.5 / Math.sqrt(n);
      for (let i = 0; i < n; i++) x[i] /= length || 1;
    }
  }
}
var norm = (x) => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
function transpose(A, rows, cols) {
  const out = new Float64Array(A.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) out[c * rows + r] = A[r * cols + c];
  }
  return out;
}
function householder(kernel, rows, cols, A) {
  const { values, scale } = scaled(kernel, A);
  const k = Math.min(rows, cols);
  const vectors = [];
  const reflect = (v, first2, X, width) => {
    const square = v.reduce((sum, x) => sum + x * x, 0);
    for (let c = 0; c < width && square > 0; c++) {
      let product3 = 0;
      for (let i = 0; i < v.length; i++) product3 += v[i] * X[(first2 + i) * width + c];
      for (let i = 0; i < v.length; i++) X[(first2 + i) * width + c] -= 2 * product3 / square * v[i];
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
  contract(xi, { B, L, R, K }, aIn, hIn, GIn, outIn) {
    const [a, h, G, out] = [aIn, hIn, GIn, outIn].map(arrayOf);
    const { value } = XI[xi];
    const sum = new Float64Array(K);
    for (let b = 0; b < B; b++) {
      sum.fill(0);
      for (let i = 0; i < L; i++) {
        for (let j = 0; j < R; j++) {
          const joined2 = value(a[b * L + i], h[b * R + j]);
          const row = (i * R + j) * K;
          for (let k = 0; k < K; k++) sum[k] += G[row + k] * joined2;
        }
      }
      out.set(sum, b * K);
    }
  },
  packWeights: (L, R, K, G, precision = "float32") => ({
    ...{ L, R, K, precision },
    values: new ArrayStorage(G.dtype, G.read())
  }),
  contractPacked(xi, B, a, h, { L, R, K, values }, out) {
    kernels.contract(xi, { B, L, R, K }, a, h, values, out);
  },
  contractGradient(xi, { B, L, R, K }, from, to, accumulate) {
    const [a, h, G, dout] = [from.a, from.h, from.G, from.dout].map(arrayOf);
    const { value, dx, dy } = XI[xi];
    const da = new Float64Array(B * L);
    const dh = new Float64Array(B * R);
    const dG = new Float64Array(L * R * K);
    if (accumulate) dG.set(arrayOf(to.dG));
    for (let b = 0; b < B; b++) {
      for (let i = 0; i < L; i++) {
        for (let j = 0; j < R; j++) {
          const x = a[b * L + i];
          const y = h[b * R + j];
          const joined2 = value(x, y);
          const row = (i * R + j) * K;
          let weight = 0;
          for (let k = 0; k < K; k++) {
            const d = dout[b * K + k];
            weight += G[row + k] * d;
            dG[row + k] += joined2 * d;
          }
          da[b * L + i] += weight * dx(x, y);
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
  contractGrid(xi, { P, M, L, R, K }, aIn, hIn, GIn, outIn) {
    const [a, h, G, out] = [aIn, hIn, GIn, outIn].map(arrayOf);
    const { value } = XI[xi];
    const sum = new Float64Array(K);
    for (let p = 0; p < P; p++) {
      for (let m = 0; m < M; m++) {
        sum.fill(0);
        for (let i = 0; i < L; i++) {
          for (let j = 0; j < R; j++) {
            const joined2 = value(a[m * L + i], h[p * R + j]);
            for (let k = 0; k < K; k++) sum[k] += G[(i * R + j) * K + k] * joined2;
          }
        }
        out.set(sum, (p * M + m) * K);
      }
    }
  },
  outer(xi, xIn, yIn, outIn) {
    const [x, y, out] = [xIn, yIn, outIn].map(arrayOf);
    const { value } = XI[xi];
    for (let m = 0; m < x.length; m++) {
      for (let n = 0; n < y.length; n++) out[m * y.length + n] = value(x[m], y[n]);
    }
  },
  matmul(M, N2, K, A, B, C, accumulate) {
    const at2 = ({ rowStride, colStride }, r, c) => r * rowStride + c * colStride;
    const [dataA, dataB, dataC] = [A, B, C].map((view) => arrayOf(view.data));
    for (let m = 0; m < M; m++) {
      for (let n = 0; n < N2; n++) {
        let sum = accumulate ? dataC[at2(C, m, n)] : 0;
        for (let k = 0; k < K; k++) sum += dataA[at2(A, m, k)] * dataB[at2(B, k, n)];
        dataC[at2(C, m, n)] = sum;
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
          const larger2 = this.allocate("float32", 2 * list.length);
          words.release();
          words = larger2;
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
var standard;
function defaultBackend() {
  standard ??= selectBackend().backend;
  return standard;
}

// src/analysis/ranks.ts
var DEFAULT_TOLERANCE = 1e-10;
function matricizationRank(tensor2, rowModes2, options = {}) {
  const { backend: backend2, tolerance } = checkOptions("matricizationRank", tensor2, options);
  return rankOf(backend2, matrixFor(backend2, tensor2, rowModes2), tolerance);
}
function checkOptions(where, tensor2, options) {
  knownKeys(where, options, ["tolerance", "backend"]);
  const { tolerance = DEFAULT_TOLERANCE, backend: backend2 = defaultBackend() } = options;
  if (!(tolerance >= 0 && tolerance < 1))
    throw mismatch("E_ARGUMENT", `${where} tolerance`, "a number from 0 and below 1", tolerance);
  checkTensor(where, tensor2, tensor2?.shape ?? [], tensor2?.dtype ?? "float64");
  return { tolerance, backend: backend2 };
}
function matrixFor(backend2, tensor2, rowModes2) {
  return matricized(tensor2, rowModes2, (dtype, length) => backend2.allocate(dtype, length).take());
}
function rankOf(backend2, matrix2, tolerance) {
  const { rank, squares } = certifiedRankOf(backend2, matrix2, tolerance);
  if (rank === null) return reportOf(singularValuesOf(backend2, matrix2), tolerance);
  let known;
  const spectrum = () => {
    if (known === void 0) {
      if (sumSquaresOf(backend2, matrix2) !== squares) {
        throw mismatch("E_ARGUMENT", "RankReport", "the tensor whose rank was reported", "a changed one");
      }
      known = spectrumOf(singularValuesOf(backend2, matrix2), rank);
    }
    return known;
  };
  return {
    rank,
    method: "certificate",
    tolerance,
    get singularValues() {
      return spectrum().singularValues;
    },
    get gap() {
      return spectrum().gap;
    },
    get effectiveRank() {
      return spectrum().effectiveRank;
    },
    get entropy() {
      return spectrum().entropy;
    }
  };
}
function reportOf(singularValues, tolerance) {
  const [largest = 0] = singularValues;
  const first2 = singularValues.findIndex((s) => !(s > tolerance * largest));
  const rank = largest === 0 ? 0 : first2 < 0 ? singularValues.length : first2;
  return { rank, method: "spectrum", tolerance, ...spectrumOf(singularValues, rank) };
}
function spectrumOf(singularValues, rank) {
  const [largest = 0] = singularValues;
  const next = singularValues[rank] ?? 0;
  const gap = rank === 0 || next === 0 ? Number.POSITIVE_INFINITY : singularValues[rank - 1] / next;
  const weights = singularValues.map((s) => largest === 0 ? 0 : (s / largest) ** 2);
  const total = weights.reduce((sum, w3) => sum + w3, 0);
  const entropy = weights.reduce((sum, w3) => w3 > 0 ? sum - w3 / total * Math.log(w3 / total) : sum, 0);
  const effectiveRank = rank === 0 ? 0 : Math.exp(entropy);
  return { singularValues, gap, effectiveRank, entropy };
}

// src/decompose/matrix.ts
function matrix(rows, cols, data) {
  return { rows, cols, data: data ?? allocate("float64", rows * cols) };
}
var reshape = ({ data }, rows, cols) => matrix(rows, cols, data);
function identity(size) {
  const unit = matrix(size, size);
  for (let n = 0; n < size; n++) unit.data[n * size + n] = 1;
  return unit;
}
function firstColumns(A, count) {
  if (count === A.cols) return A;
  const out = matrix(A.rows, count);
  for (let r = 0; r < A.rows; r++) out.data.set(A.data.subarray(r * A.cols, r * A.cols + count), r * count);
  return out;
}
function transpose2(A) {
  const out = matrix(A.cols, A.rows);
  for (let r = 0; r < A.rows; r++) {
    for (let c = 0; c < A.cols; c++) out.data[c * A.rows + r] = A.data[r * A.cols + c];
  }
  return out;
}
var Linear = class {
  backend;
  constructor(backend2) {
    this.backend = backend2;
  }
  /** A B; 2·rows·cols·inner operations. */
  multiply(A, B) {
    return this.product(A.rows, B.cols, A.cols, A, [A.cols, 1], B, [B.cols, 1]);
  }
  /** Aᵀ B */
  transposedTimes(A, B) {
    return this.product(A.cols, B.cols, A.rows, A, [1, A.cols], B, [B.cols, 1]);
  }
  /** A Bᵀ */
  timesTransposed(A, B) {
    return this.product(A.rows, B.rows, A.cols, A, [A.cols, 1], B, [1, B.cols]);
  }
  leftSvd(A) {
    const { U, s } = this.with(A, (storage) => this.backend.leftSvd(A.rows, A.cols, storage));
    return { U: matrix(A.rows, s.length, U), s };
  }
  svd(A) {
    const { U, s, V } = this.with(A, (storage) => this.backend.svd(A.rows, A.cols, storage));
    return { U: matrix(A.rows, s.length, U), s, V: matrix(s.length, A.cols, V) };
  }
  qr(A) {
    const { Q, R } = this.with(A, (storage) => this.backend.qr(A.rows, A.cols, storage));
    const k = Math.min(A.rows, A.cols);
    return { Q: matrix(A.rows, k, Q), R: matrix(k, A.cols, R) };
  }
  /** Whether all singular values are proven to exceed `bound`. */
  exceeds(A, bound) {
    return this.with(A, (storage) => this.backend.exceeds(A.rows, A.cols, storage, bound));
  }
  norm(data) {
    return Math.sqrt(this.with({ data }, (storage) => this.backend.sumSquares(storage)));
  }
  /** ‖A − Q B‖ by its elements, in blocks of rows that bound the memory. */
  residual(A, Q, B) {
    const block = Math.max(1, Math.floor(2 ** 18 / Math.max(1, A.cols)));
    const negated2 = Q.data.map((value) => -value);
    const { backend: backend2 } = this;
    return borrowing((borrow) => {
      const right = borrow(backend2.adopt(B.data));
      const buffer = borrow(backend2.allocate("float64", Math.min(block, A.rows) * A.cols));
      let squares = 0;
      for (let row = 0; row < A.rows; row += block) {
        const count = Math.min(block, A.rows - row);
        const part = buffer.at(0, count * A.cols);
        part.write(A.data.subarray(row * A.cols, (row + count) * A.cols));
        const left = borrow(backend2.adopt(negated2.subarray(row * Q.cols, (row + count) * Q.cols)));
        const strided = (data, rowStride) => ({ data, rowStride, colStride: 1 });
        backend2.matmul(
          count,
          A.cols,
          Q.cols,
          strided(left, Q.cols),
          strided(right, A.cols),
          strided(part, A.cols),
          true
        );
        squares += backend2.sumSquares(part);
      }
      return Math.sqrt(squares);
    });
  }
  with({ data }, work) {
    return borrowing((borrow) => work(borrow(this.backend.adopt(data))));
  }
  product(M, N2, K, A, [aRow, aCol], B, [bRow, bCol]) {
    const { backend: backend2 } = this;
    return borrowing((borrow) => {
      const C = backend2.allocate("float64", M * N2);
      if (M * N2 * K > 0) {
        const a = borrow(backend2.adopt(A.data));
        const b = borrow(backend2.adopt(B.data));
        backend2.matmul(
          M,
          N2,
          K,
          { data: a, rowStride: aRow, colStride: aCol },
          { data: b, rowStride: bRow, colStride: bCol },
          { data: C, rowStride: N2, colStride: 1 },
          false
        );
      }
      return matrix(M, N2, C.take());
    });
  }
};

// src/decompose/options.ts
var MAX_BYTES = 2 ** 31;
var BIGGEST_RANK = 2 ** 31 - 1;
var BIGGEST_BYTES = 2 ** 53;
var COMPUTE_KEYS = ["backend", "maxBytes"];
var TRUNCATION_KEYS = [...COMPUTE_KEYS, "eps", "maxRanks"];
function computing(where, options, keys = COMPUTE_KEYS) {
  knownKeys(where, options, keys);
  const { maxBytes = MAX_BYTES, backend: backend2 } = options;
  integer(`${where} maxBytes`, maxBytes, 0, BIGGEST_BYTES);
  return { linear: new Linear(backend2 ?? defaultBackend()), maxBytes };
}
function truncation(where, options, count, keys = TRUNCATION_KEYS) {
  const { eps = 1e-12, maxRanks = BIGGEST_RANK } = options;
  const compute = computing(where, options, keys);
  checkEps(where, eps);
  const list = typeof maxRanks === "number" ? new Array(count).fill(maxRanks) : [...maxRanks];
  if (list.length !== count)
    throw mismatch("E_ARGUMENT", `${where} maxRanks`, `one rank or a list of ${count}`, maxRanks);
  for (const rank of list) integer(`${where} maxRanks`, rank, 1, BIGGEST_RANK);
  return { ...compute, eps, maxRanks: list };
}
function checkEps(where, eps) {
  if (!(typeof eps === "number" && eps >= 0 && eps < Number.POSITIVE_INFINITY))
    throw mismatch("E_ARGUMENT", `${where} eps`, "a non-negative number", eps);
}
function checkMemory2(what, count, maxBytes) {
  if (count * 8 > maxBytes) {
    throw new XiError(
      "E_MEMORY",
      `${what}: expected at most ${maxBytes} bytes (maxBytes), received a request for ${count * 8}`
    );
  }
}
function dense2(where, value, linear, maxBytes) {
  if (!isTensor(value) || !Array.isArray(value.shape) || value.shape.length === 0)
    throw mismatch("E_ARGUMENT", where, "a Tensor of at least one axis", value);
  if (value.shape.includes(0)) throw mismatch("E_SHAPE", where, "extents of at least 1", value.shape);
  const anyShape = value.shape.map(() => -1);
  const tensor2 = checkTensor(where, value, anyShape, dtypeOf(value.data, where), { finite: false });
  checkMemory2(`${where} of shape [${tensor2.shape.join(", ")}]`, tensor2.data.length, maxBytes);
  const data = tensor2.data instanceof Float64Array ? tensor2.data : Float64Array.from(tensor2.data);
  const norm2 = linear.norm(data);
  if (norm2 > 1e-100 && norm2 < 1e150) return { shape: tensor2.shape, data, norm: norm2, scale: 1 };
  checkFinite(where, data);
  let largest = 0;
  for (const element of data) largest = Math.max(largest, Math.abs(element));
  if (largest === 0) return { shape: tensor2.shape, data, norm: 0, scale: 1 };
  const scale = 2 ** -Math.max(-1022, Math.min(1023, Math.floor(Math.log2(largest))));
  const scaled2 = data.map((element) => element * scale);
  return { shape: tensor2.shape, data: scaled2, norm: linear.norm(scaled2), scale };
}
var tensor64 = (shape, data) => ({ dtype: "float64", shape, data });
function checkPart2(where, value, rank) {
  return checkTensor(where, value, new Array(rank).fill(-1), "float64");
}
var product = (extents) => extents.reduce((count, n) => count * n, 1);

// src/decompose/tt.ts
function coresOf(where, tt) {
  if (typeof tt !== "object" || tt === null || !Array.isArray(tt.cores) || tt.cores.length === 0)
    throw mismatch("E_ARGUMENT", where, "a tensor train { cores } of at least one core", tt);
  const cores = tt.cores.map((core2, t2) => checkPart2(`${where} core ${t2}`, core2, 3));
  const bonds = [1, ...cores.slice(0, -1).map((core2) => core2.shape[2])];
  for (const [t2, core2] of cores.entries()) {
    if (core2.shape[0] !== bonds[t2])
      throw mismatch("E_SHAPE", `${where} core ${t2}`, `a left rank of ${bonds[t2]}`, core2.shape);
  }
  const last = cores[cores.length - 1];
  if (last.shape[2] !== 1)
    throw mismatch("E_SHAPE", `${where} core ${cores.length - 1}`, "a right rank of 1", last.shape);
  return cores;
}
var core = (left, extent, right, data) => tensor64([left, extent, right], data);
var rightUnfolding = ({ shape: [r, n, s], data }) => matrix(r, n * s, data);
function ttFull(tt, options = {}) {
  const cores = coresOf("ttFull", tt);
  const { linear, maxBytes } = computing("ttFull", options);
  const shape = cores.map(({ shape: [, n] }) => n);
  let count = 1;
  for (const { shape: extents } of cores) {
    count *= extents[1];
    checkMemory2("ttFull", count * extents[2], maxBytes);
  }
  let full = matrix(1, 1, Float64Array.of(1));
  for (const G of cores) {
    const next = linear.multiply(full, rightUnfolding(G));
    full = matrix(full.rows * G.shape[1], G.shape[2], next.data);
  }
  return tensor64(shape, full.data);
}

// src/decompose/truncate.ts
function rankFor(s, threshold, most) {
  let rank = s.length;
  let discarded = 0;
  while (rank > 1) {
    const next = discarded + s[rank - 1] ** 2;
    if (rank <= most && Math.sqrt(next) > threshold) break;
    discarded = next;
    rank--;
  }
  return { rank, discarded };
}
var WORTH_A_PROOF = 2 ** 14;
function split(linear, A, threshold, most) {
  const small = Math.min(A.rows, A.cols);
  if (most >= small && A.data.length >= WORTH_A_PROOF && linear.exceeds(sample(A), threshold)) {
    if (A.rows <= A.cols) return { U: identity(A.rows), rest: A, discarded: 0 };
    const { Q, R } = linear.qr(A);
    return { U: Q, rest: R, discarded: 0 };
  }
  const { U, s } = linear.leftSvd(A);
  const { rank, discarded } = rankFor(s, threshold, most);
  const kept = firstColumns(U, rank);
  return { U: kept, rest: linear.transposedTimes(kept, A), discarded };
}
var SAMPLED = 4;
function sample(A) {
  const [small, large] = [Math.min(A.rows, A.cols), Math.max(A.rows, A.cols)];
  const count = SAMPLED * small;
  if (count >= large) return A;
  const step = Math.floor(large / count);
  if (A.rows > A.cols) {
    const rows = matrix(count, A.cols);
    for (let r = 0; r < count; r++)
      rows.data.set(A.data.subarray(r * step * A.cols, (r * step + 1) * A.cols), r * A.cols);
    return rows;
  }
  const columns = matrix(A.rows, count);
  for (let r = 0; r < A.rows; r++) {
    for (let c = 0; c < count; c++) columns.data[r * count + c] = A.data[r * A.cols + c * step];
  }
  return columns;
}

// src/decompose/tt_svd.ts
function ttSvd(tensor2, options = {}) {
  const count = Array.isArray(tensor2?.shape) ? Math.max(0, tensor2.shape.length - 1) : 0;
  const keys = [...TRUNCATION_KEYS, "randomized", "seed"];
  const { linear, eps, maxRanks, maxBytes } = truncation("ttSvd", options, count, keys);
  const seed = integer("ttSvd seed", options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER);
  const H = dense2("ttSvd", tensor2, linear, maxBytes);
  if (H.norm === 0) {
    const zero2 = H.shape.map((n) => core(1, n, 1, new Float64Array(n)));
    return { cores: zero2, error: 0 };
  }
  const middle = options.randomized ? sampleMiddle(linear, H, maxRanks, { seed, slack: eps / 4, part: 1 / 4 }) : H.data.length >= WORTH_A_SAMPLE ? sampleMiddle(linear, H, [], { seed, slack: eps / 100, part: 1 / 16 }) : void 0;
  const missed = middle ? middle.residual / H.norm : 0;
  const threshold = (eps - missed) * H.norm / Math.sqrt(Math.max(1, count));
  const train = new Sweep(linear, Math.max(0, threshold), maxRanks);
  if (middle) {
    const { at: at2, left, right } = middle;
    const rest = train.run(left, H.shape.slice(0, at2));
    train.finish(linear.multiply(rest, right), H.shape.slice(at2), H.scale);
  } else train.finish(matrix(1, H.data.length, H.data), H.shape, H.scale);
  return { cores: train.cores, error: missed + Math.sqrt(train.discarded) / H.norm };
}
var Sweep = class {
  cores = [];
  discarded = 0;
  linear;
  threshold;
  maxRanks;
  constructor(linear, threshold, maxRanks) {
    this.linear = linear;
    this.threshold = threshold;
    this.maxRanks = maxRanks;
  }
  /** Splits the modes of `shape` off a tensor [r, …shape, rest] and returns what remains, [r′, rest]. */
  run(tensor2, shape) {
    let rest = tensor2;
    let left = this.cores.length === 0 ? 1 : this.cores[this.cores.length - 1].shape[2];
    for (const n of shape) {
      const unfolding = reshape(rest, left * n, rest.data.length / (left * n));
      const step = split(this.linear, unfolding, this.threshold, this.maxRanks[this.cores.length]);
      this.cores.push(core(left, n, step.U.cols, step.U.data));
      this.discarded += step.discarded;
      rest = step.rest;
      left = step.U.cols;
    }
    return rest;
  }
  /** All modes of `shape` but the last, which is what remains; takes the scaling of the tensor back. */
  finish(tensor2, shape, scale) {
    const { data } = this.run(tensor2, shape.slice(0, -1));
    const n = shape[shape.length - 1];
    this.cores.push(
      core(
        data.length / n,
        n,
        1,
        data.map((value) => value / scale)
      )
    );
  }
};
var OVERSAMPLING = 10;
var FIRST_SAMPLE = 16;
var WORTH_A_SAMPLE = 2 ** 20;
function sampleMiddle(linear, { shape, data, norm: norm2 }, maxRanks, { seed, slack, part }) {
  if (shape.length < 2) return void 0;
  const sizes = shape.map((_, t2) => product(shape.slice(0, t2)));
  const longer = (t2) => Math.max(sizes[t2], data.length / sizes[t2]);
  const at2 = sizes.reduce((best, _, t2) => t2 > 0 && (best === 0 || longer(t2) < longer(best)) ? t2 : best, 0);
  const A = matrix(sizes[at2], data.length / sizes[at2], data);
  const most = Math.min(A.rows, A.cols);
  const wanted = maxRanks[at2 - 1] ?? BIGGEST_RANK;
  const isLimited = wanted < BIGGEST_RANK;
  const rng = new Rng(seed, most);
  for (let size = isLimited ? wanted : FIRST_SAMPLE; size + OVERSAMPLING <= most * part; size *= 2) {
    const omega = matrix(A.cols, size + OVERSAMPLING);
    for (let n = 0; n < omega.data.length; n++) omega.data[n] = rng.uniform() - 0.5;
    let sampled = project(linear, A, linear.multiply(A, omega));
    let residual = missing(linear, A, sampled, norm2, slack);
    if (residual > slack * norm2) {
      if (!isLimited) continue;
      sampled = project(linear, A, linear.timesTransposed(A, sampled.B));
      residual = missing(linear, A, sampled, norm2, slack);
    }
    const { Q: Zt, R } = linear.qr(transpose2(sampled.B));
    return { at: at2, left: linear.timesTransposed(sampled.Q, R), right: transpose2(Zt), residual };
  }
  return void 0;
}
function project(linear, A, Y) {
  const { Q } = linear.qr(Y);
  return { Q, B: linear.transposedTimes(Q, A) };
}
function missing(linear, A, { Q, B }, norm2, slack) {
  const kept = linear.norm(B.data);
  const rounding = 1e-12 * norm2 ** 2;
  const square = Math.max(0, norm2 ** 2 - kept ** 2) + rounding;
  if (Math.sqrt(square) <= slack * norm2 || square > 1e4 * rounding) return Math.sqrt(square);
  return linear.residual(A, Q, B);
}

// src/models/config.ts
var MODEL_KINDS = ["cp", "tt", "ht"];
var INITIALISATIONS = ["identity", "normal"];
var KEYS2 = [
  "kind",
  "xi",
  "steps",
  "inputs",
  "outputs",
  "rank",
  "projection",
  "features",
  "shared",
  "diagonal",
  "dtype",
  "seed",
  "init"
];
var MAX_EXTENT = 2 ** 20;
var MAX_STEPS = 2 ** 16;
function checkConfig(options) {
  if (typeof options !== "object" || options === null) {
    throw mismatch("E_ARGUMENT", "createModel", "an object of options", options);
  }
  knownKeys("createModel", options, KEYS2);
  const kind = oneOf("kind", options.kind, MODEL_KINDS);
  const xi = oneOf("xi", options.xi, XI_NAMES);
  const steps = integer("steps", options.steps, 1, MAX_STEPS);
  const inputs2 = integer("inputs", options.inputs, 1, MAX_EXTENT);
  const outputs = integer("outputs", options.outputs, 1, MAX_EXTENT);
  const rank = checkRank(kind, options.rank, steps);
  const features = options.features;
  if (typeof features !== "object" || features === null) {
    throw mismatch("E_ARGUMENT", "features", "{ size, activation }", features);
  }
  knownKeys("features", features, ["size", "activation", "embedding"]);
  const size = integer("features.size", features.size, 1, MAX_EXTENT);
  const activation = oneOf("features.activation", features.activation ?? "relu", ACTIVATIONS);
  const embedding = flag("features.embedding", features.embedding);
  const shared = flag("shared", options.shared);
  const dtype = oneOf("dtype", options.dtype ?? "float32", DTYPES);
  const seed = integer("seed", options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER);
  const init = oneOf("init", options.init ?? "identity", INITIALISATIONS);
  const common = {
    ...{ xi, steps, inputs: inputs2, outputs, rank },
    features: { size, activation, ...embedding && { embedding } },
    ...{ shared, dtype, seed, init }
  };
  if (kind !== "tt" && options.projection !== void 0) {
    throw mismatch(
      "E_ARGUMENT",
      "projection",
      `none for kind ${kind}, as only tt has one`,
      options.projection
    );
  }
  if (kind !== "ht" && options.diagonal) {
    throw mismatch("E_ARGUMENT", "diagonal", `none for kind ${kind}, as only ht has nodes`, options.diagonal);
  }
  if (kind === "cp") return { kind, ...common };
  if (kind === "ht") {
    const diagonal = flag("diagonal", options.diagonal);
    checkTree(rank, steps, shared, diagonal);
    return { kind, ...common, diagonal };
  }
  if (shared && rank.some((r) => r !== rank[0])) {
    throw mismatch("E_ARGUMENT", "rank", "equal ranks, as the steps share one core", rank);
  }
  return { kind, ...common, projection: integer("projection", options.projection ?? size, 1, MAX_EXTENT) };
}
function flag(where, value = false) {
  if (typeof value !== "boolean") throw mismatch("E_ARGUMENT", where, "true or false", value);
  return value;
}
var RANKS = {
  cp: () => [1, "R"],
  tt: (steps) => [steps - 1, "R_1 \u2026 R_{T\u22121}"],
  ht: (steps) => [levelsOf(steps), "R_0 of the leaves, then one a level below the root,"]
};
function checkRank(kind, rank, steps) {
  const [count, names] = RANKS[kind](steps);
  if (typeof rank === "number") return new Array(count).fill(integer("rank", rank, 1, MAX_EXTENT));
  if (!Array.isArray(rank)) throw mismatch("E_ARGUMENT", "rank", "a number or a list of numbers", rank);
  if (rank.length !== count) {
    const ranks = `${count} ${count === 1 ? "rank" : "ranks"} ${names} for ${steps} steps`;
    throw mismatch("E_ARGUMENT", "rank", ranks, rank);
  }
  return rank.map((r, n) => integer(`rank[${n}]`, r, 1, MAX_EXTENT));
}
function checkTree(rank, steps, shared, diagonal) {
  if (!shared && !diagonal) return;
  for (const level of treeOf(steps).slice(1)) {
    for (const { place, children } of level) {
      const [left, right] = children ?? [];
      if (left === void 0 || right === void 0 || rank[left.level] === rank[right.level]) continue;
      const reason = diagonal ? "a diagonal node joins equal components" : "the nodes of a level share one core";
      const rule = `equal ranks R_${right.level} and R_${left.level} for ${steps} steps, as ${reason}`;
      if (diagonal || place > 0) throw mismatch("E_ARGUMENT", "rank", rule, rank);
    }
  }
}

// src/models/inputs.ts
function featureLayout({ inputs: inputs2, features }) {
  return [
    ["features.A", [features.size, inputs2]],
    ["features.b", [features.size]]
  ];
}
function computeFeatures(backend2, config, parameters, x, batch, F) {
  const [A, b] = ["features.A", "features.b"].map((name) => parameters.part(name));
  featuresForward(backend2, sizesOf(config, batch), x, A, b, F);
}
function propagateFeatures(backend2, config, parameters, gradients, x, batch, F, dF, dx) {
  const [dA, db] = ["features.A", "features.b"].map((name) => gradients.part(name));
  const from = { x, A: parameters.part("features.A"), F, dF };
  featuresBackward(backend2, sizesOf(config, batch), from, { dA, db, dx });
}
function sizesOf({ steps, inputs: inputs2, features }, batch) {
  return { rows: batch * steps, N: inputs2, M: features.size, activation: features.activation };
}
function stepOf(F, { steps, features }, t2, row = 0) {
  return {
    data: F.at(Math.min(F.length, (row * steps + t2) * features.size)),
    rowStride: steps * features.size,
    colStride: 1
  };
}

// src/models/passes.ts
var KEPT = 3;
var Passes = class {
  known = [];
  backend;
  dtype;
  make;
  constructor(backend2, dtype, make) {
    this.backend = backend2;
    this.dtype = dtype;
    this.make = make;
  }
  of(batch) {
    const found2 = this.known.find((entry) => entry.batch === batch);
    if (found2) return found2.pass;
    const storages = [];
    const pass = this.make(batch, (length) => {
      const storage = this.backend.allocate(this.dtype, length);
      storages.push(storage);
      return storage;
    });
    this.known.unshift({ batch, pass, storages });
    for (const old of this.known.splice(KEPT)) for (const storage of old.storages) storage.release();
    return pass;
  }
};

// src/models/rates.ts
var ADDING = ["product", "sum", "relusum"];
var rateOfSum = (terms) => 1 / Math.sqrt(terms);
function rateOfFold(xi, steps, shared) {
  if (!ADDING.includes(xi)) return 1;
  return shared ? 1 / steps : rateOfSum(steps);
}
function rateOfFeatures(name, xi, steps) {
  if (xi !== "product") return 1;
  return name === "features.b" ? 1 / steps : rateOfSum(steps);
}

// src/models/ht.ts
var isParent = (node) => node.children !== void 0;
function parentsOf(levels) {
  return levels.flatMap((nodes, level) => nodes.filter(isParent).filter((node) => node.level === level));
}
function widthsOf({ rank, outputs }) {
  return [...rank, outputs];
}
var leafName = ({ shared }, { place }) => shared ? "W" : `W.${place}`;
var nodeName = ({ shared }, { level, place }) => shared ? `B.${level}` : `B.${level}.${place}`;
function htLayout(config) {
  const { steps, features, diagonal } = config;
  const width = widthsOf(config);
  const levels = treeOf(steps);
  const leaves = levels[0].map((leaf) => [leafName(config, leaf), [width[0], features.size]]);
  const nodes = parentsOf(levels).map((node) => {
    const [left, right] = node.children.map((child) => width[child.level]);
    const shape = diagonal ? [left, width[node.level]] : [left, right, width[node.level]];
    return [nodeName(config, node), shape];
  });
  return [...featureLayout(config), ...new Map([...leaves, ...nodes])];
}
var HierarchicalTucker = class {
  config;
  backend;
  leaves;
  parents;
  root;
  forwards;
  backwards;
  constructor(config, backend2) {
    const { steps, features, outputs, rank, dtype, diagonal } = config;
    const levels = treeOf(steps);
    this.config = config;
    this.backend = backend2;
    this.leaves = levels[0];
    this.parents = parentsOf(levels);
    this.root = levels[levels.length - 1][0];
    const widest = diagonal ? Math.max(0, ...rank) : 0;
    this.forwards = new Passes(backend2, dtype, (batch, allocate2) => {
      const states2 = /* @__PURE__ */ new Map([[this.root, allocate2(batch * outputs)]]);
      const pairs = /* @__PURE__ */ new Map();
      for (const node of this.parents) {
        const pair = allocate2(batch * this.pairWidth(node));
        pairs.set(node, pair);
        this.split(pair, node, batch).forEach((state, side) => {
          states2.set(node.children[side], state);
        });
      }
      return { F: allocate2(batch * steps * features.size), states: states2, pairs, joined: allocate2(batch * widest) };
    });
    this.backwards = new Passes(backend2, dtype, (batch, allocate2) => ({
      dF: allocate2(batch * steps * features.size),
      pairs: levels.map((_, level) => {
        const widths = this.parents.filter((node) => node.level === level).map(this.pairWidth);
        return allocate2(batch * Math.max(0, ...widths));
      }),
      joined: allocate2(batch * widest)
    }));
  }
  forward(parameters, x, batch) {
    const { backend: backend2, config } = this;
    const { F, states: states2, pairs, joined: joined2 } = this.forwards.of(batch);
    computeFeatures(backend2, config, parameters, x, batch, F);
    for (const leaf of this.leaves) {
      const W = transposed(dense(parameters.part(leafName(config, leaf)), config.features.size));
      const R = this.width(leaf);
      const f = stepOf(F, config, leaf.place);
      backend2.matmul(batch, R, config.features.size, f, W, dense(states2.get(leaf), R), false);
    }
    for (const node of this.parents) {
      const sizes = this.sizes(node, batch);
      const core2 = parameters.part(nodeName(config, node));
      const out = states2.get(node);
      if (config.diagonal) {
        const s = joined2.at(0, batch * sizes.R);
        backend2.fold(config.xi, 2, s.length, pairs.get(node), s);
        backend2.matmul(
          batch,
          sizes.K,
          sizes.R,
          dense(s, sizes.R),
          dense(core2, sizes.K),
          dense(out, sizes.K),
          false
        );
      } else {
        const [left, right] = node.children.map((child) => states2.get(child));
        backend2.contract(config.xi, sizes, left, right, core2, out);
      }
    }
    return states2.get(this.root);
  }
  backward(parameters, x, batch, dScores, gradients, dx) {
    const up = this.forwards.of(batch);
    const down = this.backwards.of(batch);
    this.descend(this.root, dScores, { parameters, gradients, batch, up, down, visited: /* @__PURE__ */ new Set() });
    propagateFeatures(this.backend, this.config, parameters, gradients, x, batch, up.F, down.dF, dx);
  }
  rateScale(name, shape) {
    const { xi, diagonal, steps, shared } = this.config;
    if (name.startsWith("features")) return rateOfFeatures(name, xi, steps);
    const leaf = name.startsWith("W");
    const fold = diagonal || xi === "product" ? rateOfFold(xi, steps, shared && leaf) : 1;
    if (leaf) return fold;
    return fold * rateOfSum(diagonal ? shape[0] : shape[0] * shape[1]);
  }
  descend(node, dout, pass) {
    if (isParent(node)) this.descendNode(node, dout, pass);
    else this.descendLeaf(node, dout, pass);
  }
  descendLeaf(leaf, dout, { parameters, gradients, batch, up, down, visited }) {
    const { backend: backend2, config } = this;
    const name = leafName(config, leaf);
    const M = config.features.size;
    const R = this.width(leaf);
    const [W, dW] = [parameters, gradients].map((block) => dense(block.part(name), M));
    const [f, df] = [up.F, down.dF].map((data) => stepOf(data, config, leaf.place));
    backend2.matmul(R, M, batch, transposed(dense(dout, R)), f, dW, visited.has(name));
    backend2.matmul(batch, M, R, dense(dout, R), W, df, false);
    visited.add(name);
  }
  descendNode(node, dout, pass) {
    const { backend: backend2, config } = this;
    const { parameters, gradients, batch, up, down, visited } = pass;
    const name = nodeName(config, node);
    const sizes = this.sizes(node, batch);
    const [core2, dCore] = [parameters, gradients].map((block) => block.part(name));
    const dPair = down.pairs[node.level].at(0, batch * this.pairWidth(node));
    const [dLeft, dRight] = this.split(dPair, node, batch);
    if (config.diagonal) {
      const { R, K } = sizes;
      const pair = up.pairs.get(node);
      const [s, ds] = [up.joined, down.joined].map((storage) => storage.at(0, batch * R));
      backend2.fold(config.xi, 2, s.length, pair, s);
      backend2.matmul(
        R,
        K,
        batch,
        transposed(dense(s, R)),
        dense(dout, K),
        dense(dCore, K),
        visited.has(name)
      );
      backend2.matmul(batch, R, K, dense(dout, K), transposed(dense(core2, K)), dense(ds, R), false);
      backend2.foldGradient(config.xi, 2, s.length, pair, ds, dPair);
    } else {
      const [a, h] = node.children.map((child) => up.states.get(child));
      const to = { da: dLeft, dh: dRight, dG: dCore };
      backend2.contractGradient(config.xi, sizes, { a, h, G: core2, dout }, to, visited.has(name));
    }
    visited.add(name);
    this.descend(node.children[0], dLeft, pass);
    this.descend(node.children[1], dRight, pass);
  }
  width = ({ level }) => widthsOf(this.config)[level];
  pairWidth = ({ children: [left, right] }) => this.width(left) + this.width(right);
  /** The left and the right part of what {@link pairWidth} measures. */
  split(pair, { children: [left] }, batch) {
    const length = batch * this.width(left);
    return [pair.at(0, length), pair.at(length)];
  }
  sizes(node, batch) {
    const [L, R] = node.children.map(this.width);
    return { B: batch, L, R, K: this.width(node) };
  }
};

// src/models/draw_tree.ts
var WHOLE = 8;
var SHOWN = 4;
var PITCH = 10;
var Line = class {
  characters = [];
  write(at2, text) {
    while (this.characters.length < at2 + text.length) this.characters.push(" ");
    [...text].forEach((character, n) => {
      this.characters[at2 + n] = character;
    });
    return this;
  }
  centre(at2, text) {
    return this.write(at2 - Math.floor((text.length - 1) / 2), text);
  }
  toString() {
    return this.characters.join("").trimEnd();
  }
};
function drawTree(config) {
  const { steps, features, outputs, rank } = config;
  const levels = treeOf(steps);
  const whole = steps <= WHOLE;
  const shown = whole ? levels : treeOf(SHOWN);
  const edge = shown[0].length * PITCH + 4;
  const centres = /* @__PURE__ */ new Map();
  const lines2 = [];
  const add = (line, label = "") => lines2.push(label ? line.write(edge + (whole ? 0 : 6), label) : line);
  const level = (l) => {
    if (l === levels.length - 1) return "";
    const count = levels[l].filter((node) => node.level === l).length;
    const [one2, many] = l === 0 ? ["leaf", "leaves"] : ["node", "nodes"];
    return `${count} ${count === 1 ? one2 : many}, R_${l} = ${rank[l]}`;
  };
  const row = (texts, label = "", dots = false) => {
    const line = new Line();
    for (const [at2, text] of texts) line.centre(at2, text);
    if (dots && !whole) line.write(edge, "\u2026");
    add(line, label);
  };
  shown[0].forEach((leaf, t2) => {
    centres.set(leaf, 6 + t2 * PITCH);
  });
  const over = (nodes, text) => nodes.map((node) => [centres.get(node), text(node)]);
  const leaves = shown[0];
  row(
    over(leaves, ({ place }) => `x.${place}`),
    "",
    true
  );
  row(over(leaves, () => "\u2502"));
  row(over(leaves, () => `f ${features.size}`));
  row(over(leaves, () => "\u2502"));
  row(
    over(leaves, (leaf) => `[${leafName(config, leaf)}]`),
    level(0),
    true
  );
  for (let l = 1; l < shown.length; l++) {
    const branches = new Line();
    for (const node of shown[l]) {
      if (node.level < l) branches.centre(centres.get(node), "\u2502");
      if (node.level < l || !node.children) continue;
      const [left, right] = node.children.map((child) => centres.get(child));
      const centre = Math.floor((left + right) / 2);
      centres.set(node, centre);
      branches.write(left, `\u2514${"\u2500".repeat(right - left - 1)}\u2518`).write(centre, "\u252C");
    }
    add(branches);
    row(
      over(shown[l], (node) => node.level < l ? "\u2502" : `[${nodeName(config, node)}]`),
      level(l),
      true
    );
  }
  const bottom = centres.get(shown[shown.length - 1][0]);
  const [root] = levels[levels.length - 1];
  if (!whole) {
    for (let l = shown.length; l < root.level; l++) row([[bottom, "\u22EE"]], level(l), true);
    row([[bottom, `[${nodeName(config, root)}]`]]);
  }
  row([[bottom, "\u2502"]]);
  row([[bottom, String(outputs)]]);
  return lines2.map(String);
}

// src/models/tt.ts
function ttLayout(config) {
  const { steps, projection: L, features } = config;
  const bounds = boundsOf(config);
  const cores = /* @__PURE__ */ new Map();
  for (let t2 = 0; t2 < steps; t2++) cores.set(coreName(config, t2), t2);
  return [
    ...featureLayout(config),
    ...[...cores.keys()].map((name) => [`C.${name}`, [L, features.size]]),
    ...[...cores].map(([name, t2]) => [`G.${name}`, [L, bounds[t2], bounds[t2 + 1]]])
  ];
}
function boundsOf({ rank, outputs }) {
  return [1, ...rank, outputs];
}
var TensorTrain = class {
  config;
  backend;
  bounds;
  forwards;
  backwards;
  constructor(config, backend2) {
    const { steps, features, projection, dtype } = config;
    const bounds = boundsOf(config);
    this.config = config;
    this.backend = backend2;
    this.bounds = bounds;
    this.forwards = new Passes(backend2, dtype, (batch, allocate2) => {
      const F = allocate2(batch * steps * features.size);
      const a = Array.from({ length: steps }, () => allocate2(batch * projection));
      const h = bounds.map((width) => allocate2(batch * width));
      h[0].fill(XI[config.xi].unit);
      return { F, a, h };
    });
    const widest = Math.max(...bounds.slice(0, -1));
    this.backwards = new Passes(backend2, dtype, (batch, allocate2) => ({
      dF: allocate2(batch * steps * features.size),
      da: allocate2(batch * projection),
      dh: [allocate2(batch * widest), allocate2(batch * widest)]
    }));
  }
  forward(parameters, x, batch, lengths) {
    const { backend: backend2, config, bounds } = this;
    const { features, projection, steps, outputs } = config;
    const { F, a, h } = this.forwards.of(batch);
    computeFeatures(backend2, config, parameters, x, batch, F);
    for (let t2 = 0; t2 < steps; t2++) {
      for (const { name, row, rows, last } of segmentsOf(config, t2, batch, lengths)) {
        const C = transposed(dense(parameters.part(`C.${name}`), features.size));
        const G = parameters.part(`G.${name}`);
        const projected = rowsOf2(a[t2], row, rows, projection);
        const state = rowsOf2(h[t2], row, rows, bounds[t2]);
        const out = last ? rowsOf2(h[steps], row, rows, outputs) : rowsOf2(h[t2 + 1], row, rows, bounds[t2 + 1]);
        const f = stepOf(F, config, t2, row);
        backend2.matmul(rows, projection, features.size, f, C, dense(projected, projection), false);
        backend2.contract(config.xi, this.sizes(rows, t2, last), projected, state, G, out);
      }
    }
    return h[steps];
  }
  states(batch) {
    return this.forwards.of(batch).h.slice(1);
  }
  backward(parameters, x, batch, dScores, gradients, dx, lengths) {
    const { backend: backend2, config, bounds } = this;
    const { steps, outputs, projection: L } = config;
    const M = config.features.size;
    const { F, a, h } = this.forwards.of(batch);
    const { dF, da, dh } = this.backwards.of(batch);
    const visited = /* @__PURE__ */ new Set();
    if (lengths) dF.fill(0);
    for (let t2 = steps - 1; t2 >= 0; t2--) {
      for (const { name, row, rows, last } of segmentsOf(config, t2, batch, lengths)) {
        const C = dense(parameters.part(`C.${name}`), M);
        const accumulate = visited.has(name);
        visited.add(name);
        const projected = rowsOf2(a[t2], row, rows, L);
        const dProjected = rowsOf2(da, row, rows, L);
        const state = rowsOf2(h[t2], row, rows, bounds[t2]);
        const dState = rowsOf2(dh[t2 % 2], row, rows, bounds[t2]);
        const dout = last ? rowsOf2(dScores, row, rows, outputs) : rowsOf2(dh[(t2 + 1) % 2], row, rows, bounds[t2 + 1]);
        backend2.contractGradient(
          config.xi,
          this.sizes(rows, t2, last),
          { a: projected, h: state, G: parameters.part(`G.${name}`), dout },
          { da: dProjected, dh: dState, dG: gradients.part(`G.${name}`) },
          accumulate
        );
        const [f, df] = [F, dF].map((data) => stepOf(data, config, t2, row));
        const dC = dense(gradients.part(`C.${name}`), M);
        backend2.matmul(L, M, rows, transposed(dense(dProjected, L)), f, dC, accumulate);
        backend2.matmul(rows, M, L, dense(dProjected, L), C, df, false);
      }
    }
    for (const name of new Set(Array.from({ length: steps }, (_, t2) => coreName(config, t2)))) {
      if (!visited.has(name)) for (const family of ["C", "G"]) gradients.part(`${family}.${name}`).fill(0);
    }
    propagateFeatures(backend2, config, parameters, gradients, x, batch, F, dF, dx);
  }
  rateScale(name, [L, R]) {
    if (name.startsWith("features")) return 1;
    const { xi, steps } = this.config;
    const fold = xi === "product" ? Math.min(1, 16 / steps) : 1;
    return fold * (name.startsWith("G.") ? rateOfSum(L * R) : 1);
  }
  sizes(rows, t2, last) {
    const { projection, outputs } = this.config;
    return { B: rows, L: projection, R: this.bounds[t2], K: last ? outputs : this.bounds[t2 + 1] };
  }
};
function segmentsOf(config, t2, batch, lengths) {
  if (!lengths) return [{ name: coreName(config, t2), row: 0, rows: batch, last: t2 === config.steps - 1 }];
  const longerThan = (bound) => {
    const first2 = lengths.findIndex((length) => length <= bound);
    return first2 < 0 ? batch : first2;
  };
  const [here, going] = [longerThan(t2), longerThan(t2 + 1)];
  return [
    { name: t2 === 0 ? "first" : "middle", row: 0, rows: going, last: false },
    { name: "last", row: going, rows: here - going, last: true }
  ].filter(({ rows }) => rows > 0);
}
var rowsOf2 = (data, row, rows, width) => data.at(row * width, rows * width);
function coreName({ shared, steps }, t2) {
  if (!shared) return String(t2);
  if (t2 === steps - 1) return "last";
  return t2 === 0 ? "first" : "middle";
}

// src/models/draw.ts
var SHOWN2 = 4;
function drawNetwork(config, parameterCount) {
  return [heading(config, parameterCount), ...body(config)].join("\n");
}
function body(config) {
  const f = `f(x) = ${config.features.activation}(A x + b)`;
  switch (config.kind) {
    case "cp":
      return [...drawPolyadic(config), `${f} \xB7 score = \u03A3_r lambda[r,\xB7] \u03BE_t \u27E8v[t,r,\xB7], f(x.t)\u27E9`];
    case "tt":
      return [...drawTrain(config), `${f} \xB7 h.t = \u03A3 G.t[i,j,\xB7] \u03BE((C.t f)[i], h.t\u22121[j])`];
    case "ht": {
      const node = config.diagonal ? "\u03A3 B[a,\xB7] \u03BE(left[a], right[a])" : "\u03A3 B[a,b,\xB7] \u03BE(left[a], right[b])";
      return [...drawTree(config), `${f} \xB7 leaf = W f(x) \xB7 node = ${node}`];
    }
  }
}
var SHARED2 = { cp: "one v", tt: "one middle core", ht: "shared" };
function heading(config, parameterCount) {
  const { kind, xi, steps, inputs: inputs2, outputs, shared, diagonal, dtype } = config;
  return [
    kind,
    `\u03BE = ${xi}`,
    `${steps} ${steps === 1 ? "step" : "steps"} of ${inputs2} inputs`,
    `${outputs} outputs`,
    ...diagonal ? ["diagonal"] : [],
    ...shared ? [SHARED2[kind]] : [],
    dtype,
    `${parameterCount.toLocaleString("en-US")} parameters`
  ].join(" \xB7 ");
}
function drawChain(columns, gap, start, join, end) {
  const texts = columns.flatMap(({ above, link }) => [link, ...above]);
  const width = Math.max(...texts.map((text) => text.length)) + 1;
  const rows = columns[0].above.map(
    (_, row) => columns.map(({ above }) => pad(above[row], width, " ")).join(" ".repeat(gap))
  );
  const links = columns.map(({ link }, n) => {
    const last = n === columns.length - 1;
    return pad(link, width, "\u2500") + (last ? "" : pad(join(n), gap, "\u2500"));
  });
  return [
    ...rows.map((row) => " ".repeat(start.length) + row).map((row) => row.trimEnd()),
    start + links.join("") + end
  ];
}
function pad(text, width, filler) {
  const left = Math.floor((width - text.length) / 2);
  return filler.repeat(Math.max(0, left)) + text + filler.repeat(Math.max(0, width - text.length - left));
}
function shownSteps(steps) {
  const all = Array.from({ length: steps }, (_, t2) => t2);
  return steps <= SHOWN2 + 1 ? all : [...all.slice(0, SHOWN2 - 1), -1, steps - 1];
}
function drawTrain(config) {
  const { steps, outputs, projection, features, rank } = config;
  const bounds = [1, ...rank, outputs];
  const shown = shownSteps(steps);
  const columns = shown.map((t2) => {
    if (t2 < 0) return { above: ["", "", "", "", "", ""], link: "\u2026" };
    const core2 = coreName(config, t2);
    const above = [`x.${t2}`, "\u2502", `f ${features.size}`, "\u2502", `C.${core2} ${projection}`, "\u2502"];
    return { above, link: `[G.${core2}]` };
  });
  const gap = Math.max(...bounds.map((r) => String(r).length)) + 4;
  const after = (t2) => ` ${bounds[t2 < 0 ? steps - 1 : t2 + 1]} `;
  return drawChain(columns, gap, "  1 \u2500\u2500", (n) => after(shown[n]), `\u2500\u2500 ${outputs}`);
}
function drawPolyadic({ steps, outputs, features, rank, shared }) {
  const columns = shownSteps(steps).map((t2) => {
    if (t2 < 0) return { above: ["", "", "", ""], link: "\u2026" };
    return { above: [`x.${t2}`, "\u2502", `f ${features.size}`, "\u2502"], link: shared ? "[v]" : `[v.${t2}]` };
  });
  return drawChain(columns, 5, "  ", () => " \u03BE ", `\u2500\u2500 ${rank[0]} \u2500\u2500[lambda]\u2500\u2500 ${outputs}`);
}

// src/models/cp_gradients.ts
function featureRows({ steps, features }, F) {
  return { data: F, row: steps * features.size, step: features.size };
}
function directionRows({ rank, features, shared }, block, column) {
  const M = features.size;
  return { data: block.part("v").at(column * M), row: M, step: shared ? 0 : rank[0] * M };
}
function selectedGradients(backend2, config, { parameters, gradients, batch, F, dF, dScores }, { column, count, s, winners }) {
  const { outputs, steps, features } = config;
  const lambda = (block) => dense(block.part("lambda").at(column * outputs), outputs);
  const dScore = dense(dScores, outputs);
  backend2.matmul(count, outputs, batch, transposed(dense(s, count)), dScore, lambda(gradients), false);
  backend2.matmul(batch, count, outputs, dScore, transposed(lambda(parameters)), dense(s, count), false);
  const [f, df] = [F, dF].map((data) => featureRows(config, data));
  const [v, dv] = [parameters, gradients].map((block) => directionRows(config, block, column));
  const M = features.size;
  backend2.winnerSums({ steps, P: count, Q: batch, M }, winners, s, true, f, dv);
  backend2.winnerSums({ steps, P: batch, Q: count, M }, winners, s, false, v, df);
}
var BLOCK_ROWS = 252;
var BLOCK_BYTES2 = 2 ** 22;
var LEAST_COLUMNS = 224;
var DenseGradients = class {
  config;
  backend;
  columns;
  blocks;
  constructor(config, backend2) {
    const { steps, dtype, rank } = config;
    const bytes = dtype === "float32" ? 4 : 8;
    const fitting = Math.floor(BLOCK_BYTES2 / (bytes * BLOCK_ROWS * steps * LEAST_COLUMNS)) * LEAST_COLUMNS;
    this.config = config;
    this.backend = backend2;
    this.columns = Math.min(rank[0], Math.max(LEAST_COLUMNS, fitting));
    this.blocks = new Passes(backend2, dtype, (batch, allocate2) => {
      const count = Math.min(batch, BLOCK_ROWS) * this.columns;
      return {
        ...{ z: allocate2(steps * count), dz: allocate2(steps * count) },
        ...{ s: allocate2(count), ds: allocate2(count) }
      };
    });
  }
  /** Sets the gradients of λ and v and dF. */
  compute(pass) {
    const { batch, gradients } = pass;
    const R = this.config.rank[0];
    if (batch === 0) for (const name of ["lambda", "v"]) gradients.part(name).fill(0);
    for (let row = 0; row < batch; row += BLOCK_ROWS) {
      const rows = Math.min(BLOCK_ROWS, batch - row);
      for (let column = 0; column < R; column += this.columns) {
        this.computePart(pass, { row, rows, column, columns: Math.min(this.columns, R - column) });
      }
    }
  }
  computePart({ parameters, gradients, batch, F, dF, dScores }, part) {
    const { backend: backend2, config } = this;
    const { steps, outputs, xi, shared, features } = config;
    const { row, rows, column, columns } = part;
    const M = features.size;
    const count = rows * columns;
    const block = this.blocks.of(batch);
    const [z, dz] = [block.z, block.dz].map((storage) => storage.at(0, steps * count));
    const [s, ds] = [block.s, block.ds].map((storage) => storage.at(0, count));
    const at2 = (storage, t2) => dense(storage.at(t2 * count, count), columns);
    const v = (of, t2) => {
      const { data, row: stride, step } = directionRows(config, of, column);
      return dense(data.at(t2 * step), stride);
    };
    for (let t2 = 0; t2 < steps; t2++) {
      const f = stepOf(F, config, t2, row);
      backend2.matmul(rows, columns, M, f, transposed(v(parameters, t2)), at2(z, t2), false);
    }
    backend2.fold(xi, steps, count, z, s);
    const dScore = dense(dScores.at(row * outputs), outputs);
    const lambda = (of) => dense(of.part("lambda").at(column * outputs), outputs);
    backend2.matmul(columns, outputs, rows, transposed(dense(s, columns)), dScore, lambda(gradients), row > 0);
    backend2.matmul(rows, columns, outputs, dScore, transposed(lambda(parameters)), dense(ds, columns), false);
    backend2.foldGradient(xi, steps, count, z, ds, dz);
    for (let t2 = 0; t2 < steps; t2++) {
      const d = at2(dz, t2);
      const added = row > 0 || shared && t2 > 0;
      backend2.matmul(columns, M, rows, transposed(d), stepOf(F, config, t2, row), v(gradients, t2), added);
      backend2.matmul(rows, M, columns, d, v(parameters, t2), stepOf(dF, config, t2, row), column > 0);
    }
  }
};

// src/models/cp.ts
var BLOCK = 2 ** 20;
function cpLayout(config) {
  const { steps, features, rank, outputs, shared } = config;
  return [
    ...featureLayout(config),
    ["lambda", [rank[0], outputs]],
    ["v", shared ? [rank[0], features.size] : [steps, rank[0], features.size]]
  ];
}
var CanonicalPolyadic = class {
  config;
  backend;
  selects;
  forwards;
  backwards;
  denseGradients;
  constructor(config, backend2) {
    const { steps, features, outputs, dtype, rank } = config;
    this.config = config;
    this.backend = backend2;
    this.selects = XI[config.xi].bound === "pieces";
    this.denseGradients = new DenseGradients(config, backend2);
    const columnsOf = (batch) => Math.min(rank[0], Math.max(256, Math.floor(BLOCK / Math.max(1, batch))));
    this.forwards = new Passes(backend2, dtype, (batch, allocate2) => ({
      F: allocate2(batch * steps * features.size),
      scores: allocate2(batch * outputs),
      columns: columnsOf(batch),
      kept: false,
      allocate: allocate2
    }));
    this.backwards = new Passes(backend2, dtype, (batch, allocate2) => ({
      dF: allocate2(batch * steps * features.size)
    }));
  }
  forward(parameters, x, batch, _, keep = false) {
    const { backend: backend2, config } = this;
    const pass = this.forwards.of(batch);
    const { F, scores, columns } = pass;
    const R = config.rank[0];
    computeFeatures(backend2, config, parameters, x, batch, F);
    pass.kept = keep && this.selects && columns === R;
    const sum = { K: config.outputs, lambda: parameters.part("lambda"), scores };
    this.project(parameters, pass, batch, { column: 0, count: R, kept: pass.kept, sum });
    return scores;
  }
  backward(parameters, x, batch, dScores, gradients, dx) {
    const { backend: backend2, config } = this;
    const pass = this.forwards.of(batch);
    const { F } = pass;
    const { dF } = this.backwards.of(batch);
    const blocks = { parameters, gradients, batch, F, dF, dScores };
    if (this.selects) {
      gradients.part("v").fill(0);
      dF.fill(0);
      this.overColumns(pass.columns, (column, count) => {
        if (!pass.kept) this.project(parameters, pass, batch, { column, count, kept: true });
        const [s, winners] = [pass.s, pass.winners].map((part) => part.at(0, batch * count));
        selectedGradients(backend2, config, blocks, { column, count, s, winners });
      });
      pass.kept = false;
    } else {
      this.denseGradients.compute(blocks);
    }
    propagateFeatures(backend2, config, parameters, gradients, x, batch, F, dF, dx);
  }
  rateScale(name) {
    const { rank, xi, steps, shared } = this.config;
    if (name === "lambda") return rateOfSum(rank[0]);
    return name === "v" ? rateOfFold(xi, steps, shared) : rateOfFeatures(name, xi, steps);
  }
  overColumns(columns, work) {
    const R = this.config.rank[0];
    for (let column = 0; column < R; column += columns) work(column, Math.min(columns, R - column));
  }
  /** Of `count` columns from `column` on: their sum, and s and winners where these are kept. */
  project(parameters, pass, batch, { column, count, kept, sum }) {
    const { steps, xi, features } = this.config;
    const keep = (storage) => storage ?? pass.allocate(batch * pass.columns);
    if (kept) [pass.s, pass.winners] = [keep(pass.s), keep(pass.winners)];
    const part = (storage) => kept ? storage.at(0, batch * count) : void 0;
    this.backend.projectFold(
      xi,
      { steps, B: batch, R: count, M: features.size },
      featureRows(this.config, pass.F),
      directionRows(this.config, parameters, column),
      { sum, s: part(pass.s), winners: part(pass.winners) }
    );
  }
};

// src/models/families.ts
var MAX_PARAMETERS = 2 ** 30;
function layoutOf(config) {
  const layout = familyLayout(config);
  const count = layout.reduce(
    (sum, [, shape]) => sum + shape.reduce((product3, extent) => product3 * extent, 1),
    0
  );
  if (count <= MAX_PARAMETERS) return layout;
  throw new XiError(
    "E_MEMORY",
    `createModel: expected at most 2^30 parameters, received sizes that need ${count}`
  );
}
function familyLayout(config) {
  switch (config.kind) {
    case "cp":
      return cpLayout(config);
    case "tt":
      return ttLayout(config);
    case "ht":
      return htLayout(config);
  }
}
function networkOf(config, backend2) {
  switch (config.kind) {
    case "cp":
      return new CanonicalPolyadic(config, backend2);
    case "tt":
      return new TensorTrain(config, backend2);
    case "ht":
      return new HierarchicalTucker(config, backend2);
  }
}

// src/models/fill.ts
function fillNormal(rng, data, deviation) {
  for (let n = 0; n < data.length; n++) data[n] = rng.normal(deviation);
}
function centred(rng, count, deviation) {
  const values = Float64Array.from({ length: count }, () => rng.normal(deviation));
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  return values.map((value) => value - mean);
}
function addSeparable(data, [L, R, K], k, left, right) {
  for (let i = 0; i < L; i++) {
    for (let j = 0; j < R; j++) data[(i * R + j) * K + k] += left[i] / R + right[j] / L;
  }
}
function holdFeature({ features }, named) {
  const { "features.A": A, "features.b": b } = named;
  A.data.fill(0, 0, A.shape[1]);
  b.data[0] = 1;
  return features.activation === "tanh" ? Math.tanh(1) : 1;
}

// src/models/initialise_cp.ts
var extreme = (T) => Math.sqrt(2 * Math.log(T));
var OPERANDS = {
  product: (T, shared) => ({ offset: 1, deviation: shared ? 1 / T : 0.5 / Math.sqrt(T) }),
  rectifier: (T) => ({ offset: -extreme(T) / 2, deviation: 1 }),
  max: (T) => ({ offset: -extreme(T), deviation: 1 }),
  min: (T) => ({ offset: extreme(T), deviation: 1 }),
  sum: (T) => ({ offset: 0, deviation: 1 / Math.sqrt(T) }),
  relusum: (T) => ({ offset: 0, deviation: 1 / Math.sqrt(T) }),
  logsumexp: (T) => ({ offset: -Math.log(T), deviation: 1 }),
  l2: () => ({ offset: 0, deviation: 1 })
};
function startCp(rng, config, named) {
  const { lambda, v } = named;
  fillOperands(rng, config, named, [v.data]);
  fillScores(rng, config, lambda);
}
function fillOperands(rng, config, named, vectors) {
  const { init, xi, steps, features, shared } = config;
  const M = features.size;
  const normal2 = init === "normal" || M === 1;
  const { offset, deviation } = normal2 ? { offset: 0, deviation: 1 } : OPERANDS[xi](steps, shared);
  for (const data of vectors) fillNormal(rng, data, deviation / Math.sqrt(M));
  if (offset === 0) return;
  const constant = holdFeature(config, named);
  for (const data of vectors) for (let n = 0; n < data.length; n += M) data[n] = offset / constant;
}
function fillScores(rng, { init }, { data, shape: [terms, outputs] }) {
  const deviation = 1 / Math.sqrt(terms);
  if (init === "normal" || terms === 1) {
    fillNormal(rng, data, deviation);
    return;
  }
  for (let c = 0; c < outputs; c++) {
    centred(rng, terms, deviation).forEach((weight, r) => {
      data[r * outputs + c] = weight;
    });
  }
}

// src/models/initialise_ht.ts
var STARTS = {
  product: { rest: 1, keep: 1, power: 1 },
  rectifier: { rest: 0, keep: 0, power: 0.5 },
  max: { rest: -1, keep: 1, power: 0.75 },
  min: { rest: 1, keep: 1, power: 0.75 },
  sum: { power: 1 },
  relusum: { power: 0.5 },
  logsumexp: { rest: -4, keep: 4 / (4 - Math.LN2), power: 1 },
  l2: { rest: 0, keep: 0, power: 1 }
};
var MIXING = 0.1;
function startHt(rng, config, named) {
  const W = Object.entries(named).filter(([name]) => name.startsWith("W"));
  const B = Object.entries(named).filter(([name]) => name.startsWith("B"));
  if (config.diagonal) {
    fillOperands(
      rng,
      config,
      named,
      W.map(([, { data }]) => data)
    );
    B.forEach(([, tensor2], n) => {
      if (n === B.length - 1) fillScores(rng, config, tensor2);
      else fillDiagonal(rng, config, tensor2);
    });
    return;
  }
  const { features, rank, init, xi } = config;
  for (const [, { data }] of W) fillNormal(rng, data, 1 / Math.sqrt(features.size));
  const rests = init === "identity" && features.size > 1 && rank.every((r) => r > 1) && rank.length > 0;
  if (!rests) {
    for (const [, { data, shape }] of B) fillNormal(rng, data, 1 / Math.sqrt(shape[0] * shape[1]));
    return;
  }
  const start = STARTS[xi];
  B.forEach(([, { data, shape }], n) => {
    fillNode(rng, data, shape, start, n === B.length - 1);
  });
  if (start.rest === void 0) return;
  const constant = start.rest === 0 ? 1 : holdFeature(config, named);
  for (const [, { data }] of W) {
    data.fill(0, 0, features.size);
    data[0] = start.rest / constant;
  }
}
function fillNode(rng, data, [L, R, K], start, root) {
  const at2 = (a, b, g) => (a * R + b) * K + g;
  const deviation = 1 / Math.sqrt((L + R) * start.power);
  if (start.rest === void 0) {
    for (let g = 0; g < K; g++)
      addSeparable(data, [L, R, K], g, centred(rng, L, deviation), centred(rng, R, deviation));
    return;
  }
  fillNormal(rng, data, MIXING / Math.sqrt(L * R));
  for (let g = 0; g < K; g++) {
    for (let a = 1; a < L; a++) data[at2(a, 0, g)] = rng.normal(deviation);
    for (let b = 1; b < R; b++) data[at2(0, b, g)] = rng.normal(deviation);
    data[g] = 0;
  }
  if (root) return;
  for (let n = 0; n < data.length; n += K) data[n] = 0;
  data[0] = start.keep ?? 0;
}
function fillDiagonal(rng, { init }, { data, shape: [R, K] }) {
  if (init === "normal") fillNormal(rng, data, 1 / Math.sqrt(R));
  else for (let g = 0; g < K; g++) data[g % R * K + g] = 1;
}

// src/models/initialise_tt.ts
var STARTS2 = {
  product: { rest: 1, keep: 1, resting: true },
  rectifier: { rest: 0, keep: 0, resting: true },
  max: { rest: -1, keep: 1, resting: true },
  min: { rest: 1, keep: 1, resting: true },
  sum: {},
  relusum: {},
  logsumexp: { rest: -4, keep: 4 / (4 - Math.LN2), resting: true },
  l2: { rest: 0, keep: 0, resting: true }
};
var MIXING2 = 0.1;
function inflow({ steps, shared }) {
  return Math.min(1, shared ? 4 / steps : Math.sqrt(16 / steps));
}
function sources({ shared }, R) {
  const from = Uint32Array.from({ length: R }, (_, k) => k);
  if (!shared) return from;
  let first2 = 1;
  for (let length = 1; first2 + length <= R; length = primeAfter(length)) {
    for (let k = first2; k < first2 + length; k++) from[k] = k === first2 ? first2 + length - 1 : k - 1;
    first2 += length;
  }
  return from;
}
function primeAfter(n) {
  for (let p = n + 1; ; p++) {
    let divisor = 2;
    while (divisor * divisor <= p && p % divisor !== 0) divisor++;
    if (divisor * divisor > p) return p;
  }
}
function startTt(rng, config, named) {
  const start = canRest(config) ? STARTS2[config.xi] : void 0;
  const [first2, last] = [0, config.steps - 1].map((t2) => `G.${coreName(config, t2)}`);
  for (const [name, { data, shape }] of Object.entries(named)) {
    if (name.startsWith("C.")) fillProjection(rng, data, shape, start);
    else if (!name.startsWith("G.")) continue;
    else if (!start) fillNormal(rng, data, 1 / Math.sqrt(shape[0] * shape[1]));
    else {
      const from = name === first2 ? void 0 : sources(config, shape[1]);
      fillCore(rng, data, shape, start, inflow(config), { from, last: name === last });
    }
  }
  if (!start?.rest) return;
  const constant = holdFeature(config, named);
  for (const [name, { data }] of Object.entries(named)) {
    if (name.startsWith("C.")) data[0] = start.rest / constant;
  }
}
function canRest({ init, projection, features, rank }) {
  return init === "identity" && projection > 1 && features.size > 1 && rank.every((r) => r > 1);
}
function fillProjection(rng, data, [, M], start) {
  const pinned = start?.rest === void 0 ? 0 : M;
  for (let n = 0; n < data.length; n++) data[n] = n < pinned ? 0 : rng.normal(Math.sqrt(1 / M));
}
function fillCore(rng, data, [L, R, K], start, inflow2, { from, last }) {
  const at2 = (i, j, k) => (i * R + j) * K + k;
  const first2 = from === void 0;
  if (start.rest === void 0) {
    for (let k = 0; k < K; k++) {
      const inputs2 = centred(rng, L, inflow2 / Math.sqrt(L));
      const unit = Float64Array.from({ length: R }, (_, j) => Number(j === from?.[k]));
      addSeparable(data, [L, R, K], k, inputs2, last ? centred(rng, R, 1 / Math.sqrt(R)) : unit);
    }
    return;
  }
  fillNormal(rng, data, (first2 || last ? 1 : MIXING2 * inflow2) / Math.sqrt(L * R));
  for (let k = 0; k < K; k++) {
    for (let i = 0; i < L; i++) data[at2(i, 0, k)] = rng.normal(inflow2 / Math.sqrt(L));
    for (let j = 0; j < R; j++) {
      if (last) data[at2(0, j, k)] = rng.normal(1 / Math.sqrt(R));
      else if (!first2) data[at2(0, j, k)] = Number(j === from[k]);
    }
  }
  if (last || !start.resting) return;
  for (let n = 0; n < data.length; n += K) data[n] = 0;
  data[0] = first2 ? Number(start.rest !== 0) : start.keep ?? 0;
}

// src/models/initialise.ts
function initialise(config, layout) {
  const { dtype, kind, seed } = config;
  const rng = new Rng(seed, 1);
  const named = {};
  for (const [name, shape] of layout)
    named[name] = { dtype, shape, data: allocate(dtype, elementCount(shape)) };
  const present = config.features.embedding ? 1 : config.inputs;
  fillNormal(rng, named["features.A"].data, Math.sqrt(2 / present));
  if (kind === "cp") startCp(rng, config, named);
  else if (kind === "ht") startHt(rng, config, named);
  else startTt(rng, config, named);
  return named;
}

// src/models/lengths.ts
function orderByLength(where, config, options, batch) {
  knownKeys(where, options, ["lengths"]);
  const { lengths } = options;
  if (lengths === void 0) return void 0;
  checkLengths(`${where} lengths`, config, lengths, batch);
  return orderRows(lengths);
}
function checkLengths(where, config, lengths, batch) {
  const { kind, shared, steps } = config;
  if (kind !== "tt" || !shared || steps < 2) {
    const received = `${kind}, ${shared ? "shared" : "not shared"}, ${steps} steps`;
    const rule = "none, except for a shared tt network of at least 2 steps,";
    throw mismatch("E_ARGUMENT", where, rule, received);
  }
  if (!(lengths instanceof Int32Array)) throw mismatch("E_ARGUMENT", where, "an Int32Array", lengths);
  if (lengths.length !== batch) throw mismatch("E_SHAPE", where, `${batch} lengths`, lengths.length);
  lengths.forEach((length, n) => {
    integer(`${where}[${n}]`, length, 2, steps);
  });
}
function orderRows(lengths) {
  const rows = Uint32Array.from(lengths, (_, n) => n).sort((m, n) => lengths[n] - lengths[m] || m - n);
  return { rows, lengths: Int32Array.from(rows, (row) => lengths[row]) };
}
function gatherRows(data, rows, size) {
  const out = emptyLike(data, rows.length * size);
  rows.forEach((row, n) => {
    out.set(data.subarray(row * size, (row + 1) * size), n * size);
  });
  return out;
}
function emptyLike(data, length) {
  if (data instanceof Int32Array) return new Int32Array(length);
  return allocate(data instanceof Float32Array ? "float32" : "float64", length);
}
function scatterRows(data, rows, size) {
  const places = new Uint32Array(rows.length);
  rows.forEach((row, n) => {
    places[row] = n;
  });
  return gatherRows(data, places, size);
}

// src/models/parameters.ts
var ParameterBlock = class {
  layout;
  dtype;
  storage;
  parts = /* @__PURE__ */ new Map();
  constructor(backend2, layout, dtype) {
    this.layout = layout;
    this.dtype = dtype;
    this.storage = backend2.allocate(
      dtype,
      layout.reduce((sum, [, shape]) => sum + elementCount(shape), 0)
    );
    let offset = 0;
    for (const [name, shape] of layout) {
      const count = elementCount(shape);
      this.parts.set(name, this.storage.at(offset, count));
      offset += count;
    }
  }
  get count() {
    return this.storage.length;
  }
  part(name) {
    const part = this.parts.get(name);
    if (!part) throw mismatch("E_ARGUMENT", "parameter", `one of ${this.names().join(", ")}`, name);
    return part;
  }
  names() {
    return this.layout.map(([name]) => name);
  }
  /** Copies of all tensors. */
  tensors() {
    return Object.fromEntries(
      this.layout.map(([name, shape]) => [name, { dtype: this.dtype, shape, data: this.part(name).read() }])
    );
  }
  /**
   * Sets all tensors, or none if one does not fit.
   *
   * @throws XiError E_ARGUMENT for missing or unknown names, E_SHAPE, E_DTYPE, E_NUMERIC for a tensor.
   */
  assign(where, named) {
    const given = checkNamed(where, this.layout, this.dtype, named);
    for (const [name, tensor2] of given) this.part(name).write(tensor2.data);
  }
};
function checkNamed(where, layout, dtype, named) {
  if (typeof named !== "object" || named === null)
    throw mismatch("E_ARGUMENT", where, "tensors by name", named);
  const given = named instanceof Map ? named : new Map(Object.entries(named));
  const names = new Set(layout.map(([name]) => name));
  const missing2 = [...names].filter((name) => !given.has(name));
  const unknown = [...given.keys()].filter((name) => !names.has(name));
  if (missing2.length > 0 || unknown.length > 0) {
    throw new XiError(
      "E_ARGUMENT",
      `${where}: expected the parameters ${[...names].slice(0, 40).join(", ")}${names.size > 40 ? ", \u2026" : ""}; missing ${show(missing2)}, unknown ${show(unknown)}`
    );
  }
  for (const [name, shape] of layout) checkTensor(`${where} ${name}`, given.get(name), shape, dtype);
  return given;
}

// src/models/model.ts
var SCORE_ROWS = 500;
var Model = class {
  config;
  backend;
  /** Where parameters and passes live; for training loops that stay in the backend's memory. */
  network;
  block;
  constructor(config, backend2) {
    const layout = layoutOf(config);
    this.config = config;
    this.backend = backend2;
    this.network = networkOf(config, backend2);
    this.block = new ParameterBlock(backend2, layout, config.dtype);
    this.block.assign("initialisation", initialise(config, layout));
  }
  /** Copies of all parameters: name → tensor, with the names that files carry. */
  get parameters() {
    return this.block.tensors();
  }
  /** Numbers in all parameters together. */
  get parameterCount() {
    return this.block.count;
  }
  /**
   * Sets all parameters, or none.
   *
   * @throws XiError E_ARGUMENT for missing or unknown names; E_SHAPE, E_DTYPE or E_NUMERIC for a tensor that does not fit.
   */
  setParameters(named) {
    this.block.assign("setParameters", named);
  }
  /**
   * Scores of X [B,T,N], or of tokens [B,T], as [B,outputs].
   *
   * @throws XiError E_SHAPE, E_DTYPE or E_NUMERIC when X does not fit the model or is not finite; E_ARGUMENT for lengths
   * that it cannot have.
   */
  score(X, options = {}) {
    const { outputs, dtype } = this.config;
    const { data, batch, order, row } = this.checkBatch("score", X, options);
    const out = allocate(dtype, batch * outputs);
    for (let start = 0; start < batch; start += SCORE_ROWS) {
      const rows = Math.min(SCORE_ROWS, batch - start);
      const lengths = order?.lengths.subarray(start, start + rows);
      borrowing((borrow) => {
        const x = this.reach(X, data.subarray(start * row, (start + rows) * row), borrow);
        out.set(this.network.forward(this.block, x, rows, lengths).read(), start * outputs);
      });
    }
    const scores = order ? scatterRows(out, order.rows, outputs) : out;
    return { dtype, shape: [batch, outputs], data: scores };
  }
  /**
   * Hidden states h_1 … h_T of X [B,T,N] or of tokens [B,T], h_t as [B,R_t]; h_T are the scores.
   *
   * @throws XiError E_ARGUMENT for a network that has none, which is any but a TT; else as {@link score}.
   */
  states(X) {
    const { kind, rank, outputs } = this.config;
    const { data, batch } = this.checkBatch("states", X, {});
    if (!this.network.states)
      throw mismatch("E_ARGUMENT", "states", "a tt network, which has hidden states", kind);
    borrowing((borrow) => this.network.forward(this.block, this.reach(X, data, borrow), batch));
    const sizes = [...rank, outputs];
    return this.network.states(batch).map((state, t2) => this.download(state, [batch, sizes[t2]]));
  }
  gradients(X, dScores, options = {}) {
    const { backend: backend2, config, block } = this;
    const { dtype, outputs } = config;
    const { data, batch, order, row } = this.checkBatch("gradients", X, options);
    return borrowing((borrow) => {
      const x = this.reach(X, data, borrow);
      const weights = checkTensor("gradients dScores", dScores, [batch, outputs], dtype).data;
      const d = borrow(backend2.adopt(order ? gatherRows(weights, order.rows, outputs) : weights));
      const dx = isTokens(X) ? void 0 : borrow(backend2.allocate(dtype, data.length));
      const gradients = new ParameterBlock(backend2, block.layout, dtype);
      borrow(gradients.storage);
      this.network.forward(block, x, batch, order?.lengths, true);
      this.network.backward(block, x, batch, d, gradients, dx, order?.lengths);
      if (!dx) return { parameters: gradients.tensors() };
      const dX = dx.read();
      return {
        parameters: gradients.tensors(),
        inputs: { dtype, shape: [...X.shape], data: order ? scatterRows(dX, order.rows, row) : dX }
      };
    });
  }
  /** The network drawn with its ranks and its number of parameters. */
  toString() {
    return drawNetwork(this.config, this.parameterCount);
  }
  /** The values of a batch, ordered by the lengths of its sequences where these differ, and how many a sequence has. */
  checkBatch(where, X, options) {
    const { steps, inputs: inputs2, dtype } = this.config;
    if (isTokens(X)) checkTokens("X", X, steps, inputs2);
    else checkTensor("X", X, [-1, steps, inputs2], dtype, { finite: false });
    const row = isTokens(X) ? steps : steps * inputs2;
    const [batch] = X.shape;
    const order = orderByLength(where, this.config, options, batch);
    return { batch, order, row, data: order ? gatherRows(X.data, order.rows, row) : X.data };
  }
  /** Some of the inputs X where the kernels reach them, if they are finite, which a kernel tells sooner. */
  reach(X, data, borrow) {
    if (data instanceof Int32Array) return data;
    const x = borrow(this.backend.adopt(data));
    if (!isTokens(X) && !Number.isFinite(this.backend.sumSquares(x))) checkFinite("X", X.data);
    return x;
  }
  download(storage, shape) {
    return { dtype: this.config.dtype, shape, data: storage.read() };
  }
};
function createModel(options) {
  const { backend: backend2, ...rest } = options ?? {};
  const config = checkConfig(rest);
  if (backend2 !== void 0 && typeof backend2?.contract !== "function") {
    throw new XiError("E_ARGUMENT", "createModel backend: expected what openBackend() resolves to");
  }
  return new Model(config, backend2 ?? defaultBackend());
}

// src/bench/analysis.ts
var rowModes = ({ T }) => Array.from({ length: Math.ceil(T / 2) }, (_, n) => 2 * n);
var product2 = (extents) => extents.reduce((x, y) => x * y, 1);
var normal = (rng, shape) => ({
  shape,
  data: Float64Array.from({ length: product2(shape) }, () => rng.normal())
});
function drawAnalysis(workload) {
  const rng = new Rng(7);
  if (workload.kind === "rank") {
    const { M, T, L, R } = workload;
    const bound = (t2) => t2 === 0 || t2 === T ? 1 : R;
    const steps = Array.from({ length: T }, (_, t2) => [
      [`C${t2}`, normal(rng, [L, M])],
      [`G${t2}`, normal(rng, [L, bound(t2), bound(t2 + 1)])]
    ]);
    return { F: normal(rng, [M, M]), ...Object.fromEntries(steps.flat()) };
  }
  const { shape, rank } = workload;
  if (rank === null) return { H: normal(rng, shape) };
  const last = shape.length - 1;
  const cores = shape.map((n, t2) => {
    const part = normal(rng, [t2 === 0 ? 1 : rank, n, t2 === last ? 1 : rank]);
    return { dtype: "float64", shape: part.shape, data: part.data };
  });
  return { H: { shape, data: ttFull({ cores }).data } };
}
function analysisForms(workload, inputs2, backend2) {
  if (workload.kind === "ttsvd") return [trainForm(workload, inputs2, backend2)];
  const model = modelOf(workload, inputs2, backend2);
  const templates = tensorOf(inputs2.F);
  const rows = rowModes(workload);
  if (workload.exact) {
    const run2 = () => exactRank(model, templates, rows);
    return [{ name: "exactRank", run: run2, outputs: () => ({ arrays: { rank: Float64Array.of(run2().rank) } }) }];
  }
  const run = () => matricizationRank(gridOutput(gridTensor(model, templates), 0), rows, { backend: backend2 });
  const outputs = () => {
    const { rank, singularValues } = run();
    return { arrays: { s: singularValues, numerical: Float64Array.of(rank) } };
  };
  return [{ name: "gridTensor, matricizationRank", run, outputs }];
}
function trainForm({ eps, randomized }, { H }, backend2) {
  const whole = tensorOf(H);
  const run = () => ttSvd(whole, { eps, randomized, backend: backend2 });
  const outputs = () => ({
    arrays: Object.fromEntries(run().cores.map(({ data }, t2) => [`core${t2}`, data]))
  });
  return { name: randomized ? "ttSvd, randomized" : "ttSvd", run, outputs };
}
var tensorOf = ({ shape, data }) => ({ dtype: "float64", shape: [...shape], data });
function modelOf({ xi, M, T, L, R }, inputs2, backend2) {
  const features = { size: M, activation: "identity" };
  const sizes = { steps: T, inputs: M, outputs: 1, rank: R, projection: L };
  const model = createModel({ kind: "tt", xi, ...sizes, features, dtype: "float64", backend: backend2 });
  const identity2 = Float64Array.from({ length: M * M }, (_, n) => Number(n % (M + 1) === 0));
  const steps = Array.from({ length: T }, (_, t2) => [
    [`C.${t2}`, tensorOf(inputs2[`C${t2}`])],
    [`G.${t2}`, tensorOf(inputs2[`G${t2}`])]
  ]);
  model.setParameters({
    "features.A": tensor(identity2, [M, M]),
    "features.b": tensor(new Float64Array(M)),
    ...Object.fromEntries(steps.flat())
  });
  return model;
}

// src/bench/workloads.ts
var C1 = { B: 250, L: 32, R: 64, K: 64 };
var C2 = { B: 256, L: 100, R: 256, K: 256 };
var G1 = { M: 10, T: 6, L: 10, R: 8 };
var IMAGES = {
  steps: 16,
  inputs: 49,
  outputs: 10,
  features: { size: 32 },
  init: "normal",
  seed: 7
};
var TINY = { B: 2, L: 2, R: 2, K: 2 };
var WORKLOADS = [
  { name: "C1 rectifier f32", kind: "contract", xi: "rectifier", dtype: "float32", sizes: C1 },
  { name: "C1 product f32", kind: "contract", xi: "product", dtype: "float32", sizes: C1 },
  { name: "C1 logsumexp f32", kind: "contract", xi: "logsumexp", dtype: "float32", sizes: C1 },
  { name: "C1 l2 f32", kind: "contract", xi: "l2", dtype: "float32", sizes: C1 },
  { name: "C1 rectifier f32 gradients", kind: "gradients", xi: "rectifier", dtype: "float32", sizes: C1 },
  { name: "C2 rectifier f32", kind: "contract", xi: "rectifier", dtype: "float32", sizes: C2 },
  ...["bf16x3", "bf16"].map((precision) => ({
    ...{ name: `C2 rectifier ${precision}`, kind: "contract", xi: "rectifier", dtype: "float32" },
    ...{ sizes: C2, precision }
  })),
  { name: "C2 product f32", kind: "contract", xi: "product", dtype: "float32", sizes: C2 },
  { name: "C2 rectifier f64", kind: "contract", xi: "rectifier", dtype: "float64", sizes: C2 },
  { name: "S1 max-plus 1024 f32", kind: "maxplus", dtype: "float32", n: 1024 },
  { name: "G1 grid f64", kind: "grid", xi: "rectifier", dtype: "float64", ...G1 },
  { name: "G2 grid L64 f64", kind: "grid", xi: "rectifier", dtype: "float64", M: 64, T: 3, L: 64, R: 16 },
  { name: "G2 grid L128 f64", kind: "grid", xi: "rectifier", dtype: "float64", M: 64, T: 3, L: 128, R: 16 },
  // 1.9 million parameters each.
  ...[
    ["N1 TT step", "train", { kind: "tt", rank: 64 }, 250],
    ["N2 CP step", "train", { kind: "cp", rank: 3560 }, 250],
    ["N3 HT step", "train", { kind: "ht", rank: 51 }, 250],
    ["N4 CP score", "score", { kind: "cp", rank: 1024 }, 1e3]
  ].map(
    ([name, kind, network, B]) => ({
      name: `${name} rectifier f32`,
      kind,
      dtype: "float32",
      model: { ...IMAGES, ...network, xi: "rectifier" },
      B
    })
  ),
  { name: "R1 rank f64", kind: "rank", exact: false, xi: "rectifier", dtype: "float64", ...G1 },
  { name: "R2 exact rank f64", kind: "rank", exact: true, xi: "rectifier", dtype: "float64", ...G1 },
  ...[
    ["D1 TT-SVD full f64", { shape: new Array(6).fill(10), rank: null, randomized: false }],
    ["D2 TT-SVD rank 10 f64", { shape: new Array(6).fill(16), rank: 10, randomized: false }],
    ["D3 randomized TT-SVD f64", { shape: new Array(6).fill(16), rank: 10, randomized: true }]
  ].map(
    ([name, tensor2]) => ({ name, kind: "ttsvd", dtype: "float64", eps: 1e-10, ...tensor2 })
  ),
  {
    name: "boundary backend.contract",
    kind: "call",
    way: "backend",
    xi: "product",
    dtype: "float32",
    sizes: TINY
  },
  { name: "boundary contract()", kind: "call", way: "public", xi: "product", dtype: "float32", sizes: TINY }
];
var GROUPS = [...new Set(WORKLOADS.map(({ name }) => name.split(" ")[0]))];

// look2.ts
var { backend } = selectBackend({ threads: 1 });
var w = WORKLOADS.find((x) => x.name.startsWith("R1"));
var w2 = WORKLOADS.find((x) => x.name.startsWith("R2"));
var inputs = drawAnalysis(w);
var mode = process.env.MODE ?? "R1";
var N = Number(process.env.N ?? 40);
var [form] = analysisForms(mode === "R2" ? w2 : w, inputs, backend);
for (let i = 0; i < 5; i++) form.run();
var t0 = process.cpuUsage();
var q0 = performance.now();
for (let i = 0; i < N; i++) form.run();
var t = process.cpuUsage(t0);
console.log(mode, "cpu", ((t.user + t.system) / 1e3 / N).toFixed(1), "system", (t.system / 1e3 / N).toFixed(1), "wall", ((performance.now() - q0) / N).toFixed(1), mode === "R2" ? form.run() : form.run().rank);

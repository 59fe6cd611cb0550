// Losses of rows of scores, with the gradient of their mean.
#pragma once
#include "../abi.h"
#include "fold-inl.h"

namespace xt::XT_ISA {

// The first largest of K > 0 scores.
template <class T>
size_t largest_of(const T* scores, size_t K) {
  size_t best = 0;
  for (size_t k = 1; k < K; ++k) {
    if (scores[k] > scores[best]) best = k;
  }
  return best;
}

// −ln softmax(scores)[label], from the largest score `top`; d = (softmax − one-hot)·scale.
template <class T>
double softmax_row(const T* scores, size_t K, size_t label, T top, T scale, T* d) {
  Vec<T> sums{};
  for_vectors<T>({0, K}, [&](auto read, auto write, size_t at) {
    const Vec<T> exponential = keep_first<T>(exp_flushed(read(scores + at) - top), K - at);
    sums += exponential;
    if (d) write(d + at, exponential);
  });
  const T sum = sum_lanes<T>(sums);
  if (d) {
    const T factor = scale / sum;
    for_vectors<T>({0, K}, [&](auto read, auto write, size_t at) { write(d + at, read(d + at) * factor); });
    d[label] -= scale;
  }
  // log_normal makes a number of NaN, and the caller must see it.
  if (sum != sum) return sum;
  const double logarithm = log_normal(broadcast(static_cast<double>(sum)))[0];
  return logarithm + (static_cast<double>(top) - scores[label]);
}

// Σ_k (scores − target)²; d = (scores − target)·scale. Without targets the target is the one-hot row of
// `label`.
template <class T>
double squares_row(const T* scores, size_t K, const T* targets, size_t label, T scale, T* d) {
  double sum = 0;
  for (size_t k = 0; k < K; ++k) {
    const T difference = scores[k] - (targets ? targets[k] : T(k == label));
    sum += static_cast<double>(difference) * difference;
    if (d) d[k] = difference * scale;
  }
  return sum;
}

template <class T>
void loss(const LossArgs<T>& args, double* result) {
  const size_t rows = args.rows, K = args.K;
  double total = 0, correct = 0;
  for (size_t row = 0; row < rows && K > 0; ++row) {
    const T* scores = args.scores + row * K;
    T* d = args.dscores ? args.dscores + row * K : nullptr;
    const size_t label = args.labels ? args.labels[row] : 0;
    const size_t best = args.labels ? largest_of(scores, K) : 0;
    if (args.labels && best == label) correct += 1;
    if (args.loss == XT_SOFTMAX) {
      total += softmax_row<T>(scores, K, label, scores[best], T(1.0 / rows), d);
    } else {
      const T* targets = args.targets ? args.targets + row * K : nullptr;
      total += squares_row<T>(scores, K, targets, label, T(2.0 / rows / K), d) / K;
    }
  }
  result[0] = total;
  result[1] = correct;
}

}  // namespace xt::XT_ISA

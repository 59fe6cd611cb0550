/** Work that is cut into parts, between which its caller may do something else; the bits of the result do not depend on that. */
export type Parts<T> = Generator<void, T, void>;

/** Does all parts one after the other. */
export function atOnce<T>(work: Parts<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

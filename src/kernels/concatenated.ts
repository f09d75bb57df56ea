type Numbers = Uint32Array | Float32Array | Float64Array;

/** These arrays one after another, in one of their type. */
export function concatenated<A extends Numbers>(type: new (length: number) => A, parts: readonly Readonly<A>[]): A {
  const all = new type(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

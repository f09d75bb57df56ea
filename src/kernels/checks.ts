/** What the kernels refuse, in one place: the fast form and the plain one say the same. */

export function checkLength(name: string, length: number, expected: number): void {
  if (length !== expected) throw new RangeError(`${name} has ${length} entries, expected ${expected}`);
}

/** Of n samples so many: 0 … n. */
export function checkCount(count: number, n: number): void {
  if (!Number.isInteger(count) || count < 0 || count > n) {
    throw new RangeError(`cannot take ${count} of ${n} samples, expected an integer from 0 to ${n}`);
  }
}

export function checkClassCount(classCount: number): void {
  if (!Number.isInteger(classCount) || classCount < 0 || classCount > 0xffffffff) {
    throw new RangeError(`the number of classes is ${classCount}, expected an integer from 0 to 4294967295`);
  }
}

export function classOutOfRange(sample: number, label: number, classCount: number): RangeError {
  const expected = classCount === 0 ? "no sample where there are no classes" : `0 to ${classCount - 1}`;
  return new RangeError(`sample ${sample} has class ${label}, expected ${expected}`);
}

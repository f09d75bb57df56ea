/** Bytes of numpy's format, made apart from what reads them. */
export function npy(
  dtype: string,
  shape: readonly number[],
  values: readonly number[],
  { fortran = false, version = 1 }: { readonly fortran?: boolean; readonly version?: 1 | 2 } = {},
): Buffer {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const head = `{'descr': '${dtype}', 'fortran_order': ${fortran ? "True" : "False"}, 'shape': (${sizes}), }`;
  const before = version === 1 ? 10 : 12;
  const header = `${head.padEnd(Math.ceil((before + head.length + 1) / 64) * 64 - before - 1)}\n`;
  const start = Buffer.alloc(before);
  start.write("\x93NUMPY", "latin1");
  start[6] = version;
  if (version === 1) start.writeUInt16LE(header.length, 8);
  else start.writeUInt32LE(header.length, 8);
  return Buffer.concat([start, Buffer.from(header), ...values.map((value) => bytesOf(dtype, value))]);
}

function bytesOf(dtype: string, value: number): Buffer {
  const size = Number(dtype[2]);
  const bytes = Buffer.alloc(size);
  if (dtype[1] === "f") bytes.writeDoubleLE(value);
  else if (size === 8) bytes.writeBigInt64LE(BigInt(value));
  else bytes.writeIntLE(value, 0, size);
  return dtype.startsWith(">") ? bytes.reverse() : bytes;
}

/** (Σx)² / Σx² (Kish 1965): how many equal values would weigh as much; 1/Σp² for probabilities. */
export function effectiveSize(values: Readonly<Float32Array> | Readonly<Float64Array>): number {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    sum += values[i];
    squares += values[i] * values[i];
  }
  return (sum * sum) / squares;
}

// Numbers as text.

// As C's %.9g, which is how ecg-predict prints a probability.
export function digits(value) {
  if (value === 0) return "0";
  const exponent = Number(value.toExponential(8).split("e")[1]);
  if (exponent < -4 || exponent >= 9) {
    const [mantissa, power] = value.toExponential(8).split("e");
    const short = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
    return `${short}e${power[0]}${power.slice(1).padStart(2, "0")}`;
  }
  const text = value.toFixed(8 - exponent);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

// "97.3 %"; never 0 % or 100 % where it is not.
export function percent(p) {
  const gap = "\u202f";
  if (p > 0 && p < 0.001) return `<${gap}0.1${gap}%`;
  if (p < 1 && p > 0.999) return `>${gap}99.9${gap}%`;
  return `${(100 * p).toFixed(1)}${gap}%`;
}

export function duration(ms) {
  return ms < 10 ? `${ms.toFixed(1)}\u202fms` : `${Math.round(ms)}\u202fms`;
}

/** One instruction of classic BPF, as a seccomp filter is made of them. Jumps are relative and only go forward. */
export interface Instruction {
  readonly code: number
  /** Instructions to skip when a comparison holds, and when it does not. */
  readonly yes: number
  readonly no: number
  /** The operand: a place, a number, or what the filter answers. */
  readonly k: number
}

/** What the kernel does with a system call, in the upper half of the answer. */
export const verdicts = { allow: 0x7fff_0000, errno: 0x0005_0000, killProcess: 0x8000_0000 } as const

/** Places in what the kernel shows to a filter (`struct seccomp_data`). */
export const places = { number: 0, architecture: 4 } as const

/** Puts the word at a place into the accumulator. */
export function load(place: number): Instruction {
  return { code: 0x20, yes: 0, no: 0, k: place }
}

/** Keeps only these bits of the accumulator. */
export function keepBits(mask: number): Instruction {
  return { code: 0x54, yes: 0, no: 0, k: mask }
}

/** Skips instructions by whether the accumulator equals a number. */
export function ifEqual(k: number, yes: number, no: number): Instruction {
  return { code: 0x15, yes, no, k }
}

/** Skips instructions by whether the accumulator, without a sign, is greater than a number. */
export function ifGreater(k: number, yes: number, no: number): Instruction {
  return { code: 0x25, yes, no, k }
}

/** Ends the filter with an answer. */
export function answer(k: number): Instruction {
  return { code: 0x06, yes: 0, no: 0, k }
}

/** The place of the low half of an argument of the system call, 0–5, on little-endian machines. */
export function argumentPlace(index: number): number {
  return 16 + 8 * index
}

/** The program as the kernel reads it: 8 bytes an instruction, little-endian. */
export function encode(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8)
  const view = new DataView(bytes.buffer)
  for (const [index, { code, yes, no, k }] of program.entries()) {
    view.setUint16(index * 8, code, true)
    view.setUint8(index * 8 + 2, yes)
    view.setUint8(index * 8 + 3, no)
    view.setUint32(index * 8 + 4, k, true)
  }
  return bytes
}

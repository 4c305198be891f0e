import { judgedCalls, refusedCalls } from './system-calls.ts'
import type { JudgedCall } from './system-calls.ts'

/** A condition on one argument: these bits of it have this value. */
interface Bits {
  readonly index: number
  readonly value: number
  readonly valueTwo: number
  readonly op: 'SCMP_CMP_MASKED_EQ'
}

interface Rule {
  readonly names: readonly string[]
  readonly action: 'SCMP_ACT_ERRNO'
  readonly errnoRet: number
  readonly args: readonly Bits[]
}

/** A filter in the format that container runtimes read. */
export interface SeccompProfile {
  readonly defaultAction: 'SCMP_ACT_ALLOW'
  readonly syscalls: readonly Rule[]
}

/**
 * The filter of a sandbox for container runtimes (HO6): it refuses what {@link refusedCalls} and {@link judgedCalls} name. The format has no numbers,
 * so calls that are newer than the tables are refused only where the runtime's library does not know them.
 */
export function seccompProfile(): SeccompProfile {
  const refused = refusedCalls.map(({ errno, calls }) => refusal(Object.keys(calls), errno, []))
  const judged = Object.entries(judgedCalls).flatMap(([name, call]) =>
    conditionsOf(call).map((args) => refusal([name], call.errno, args)),
  )
  return { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [...refused, ...judged] }
}

function refusal(names: readonly string[], errnoRet: number, args: readonly Bits[]): Rule {
  return { names, action: 'SCMP_ACT_ERRNO', errnoRet, args }
}

/** When a judged call is refused: whenever one of these holds, all of whose parts hold together. */
function conditionsOf({ argument, mask, values, are, when }: JudgedCall): readonly (readonly Bits[])[] {
  const refused =
    are === 'refused'
      ? values.map((value) => bits(argument, mask, value))
      : othersThan(values, mask).map((one) => bits(argument, ...one))
  if (when === undefined) return refused.map((one) => [one])
  return bitsOf(when.mask).flatMap((bit) => refused.map((one) => [bits(when.argument, bit, bit), one]))
}

/** Every value of these bits but some, as pairs of a mask and what is under it: the format knows no `not`. */
function othersThan(values: readonly number[], mask: number): readonly (readonly [mask: number, value: number])[] {
  // A word that is neither all zeros nor all ones has, read in a ring, a one before a zero.
  if (values.includes(allOnes)) return ringOf(bitsOf(mask)).map(([one, zero]) => [unsigned(one | zero), one])
  const width = Math.max(...values.map((value) => 32 - Math.clz32(value)))
  const low = mask & (2 ** width - 1)
  const near = Array.from({ length: 2 ** width }, (_, value) => value).filter(
    (value) => (value & ~low) === 0 && !values.includes(value),
  )
  const far = bitsOf(mask).filter((bit) => (bit & low) === 0)
  return [...near.map((value) => [low, value] as const), ...far.map((bit) => [bit, bit] as const)]
}

const allOnes = 0xffff_ffff

function bitsOf(mask: number): readonly number[] {
  return Array.from({ length: 32 }, (_, index) => unsigned(1 << index)).filter((bit) => unsigned(mask & bit) !== 0)
}

function ringOf(all: readonly number[]): readonly (readonly [number, number])[] {
  return all.map((bit, index) => [bit, all[(index + 1) % all.length] ?? bit])
}

function bits(index: number, mask: number, value: number): Bits {
  return { index, value: mask, valueTwo: value, op: 'SCMP_CMP_MASKED_EQ' }
}

function unsigned(value: number): number {
  return value >>> 0
}

import { answer, argumentPlace, encode, ifEqual, ifGreater, keepBits, load, places, verdicts } from './bpf.ts'
import type { Instruction } from './bpf.ts'
import { auditNames, errors, judgedCalls, newestCall, refusedCalls } from './system-calls.ts'
import type { Architecture, CallNumbers, JudgedCall } from './system-calls.ts'

/**
 * The seccomp filter of a sandbox (HO6), in the bytes that the kernel reads. Calls of another architecture kill the process: their numbers
 * mean something else. What is newer than the tables, and with it every call of x32, is refused as not implemented.
 */
export function seccompFilter(architecture: Architecture): Uint8Array {
  return encode([
    load(places.architecture),
    ifEqual(auditNames[architecture], 1, 0),
    answer(verdicts.killProcess),
    load(places.number),
    ifGreater(newestCall, 0, 1),
    refuse(errors.notImplemented),
    ...refusedCalls.flatMap(({ errno, calls }) =>
      Object.values(calls).flatMap((numbers) => onCall(numbers, architecture, [refuse(errno)])),
    ),
    ...Object.values(judgedCalls).flatMap((call) => onCall(call.numbers, architecture, judge(call))),
    answer(verdicts.allow),
  ])
}

/** The instructions are reached by this call alone, and end with an answer. */
function onCall(numbers: CallNumbers, architecture: Architecture, instructions: readonly Instruction[]): readonly Instruction[] {
  const number = architecture === 'x64' ? numbers[0] : numbers[1]
  return number === 'none' ? [] : [ifEqual(number, 0, instructions.length), ...instructions]
}

function judge({ argument, mask, values, are, errno, when }: JudgedCall): readonly Instruction[] {
  const [listed, others] = are === 'allowed' ? [allow, refuse(errno)] : [refuse(errno), allow]
  const condition = when === undefined ? [] : [load(argumentPlace(when.argument)), keepBits(when.mask), ifEqual(0, 0, 1), allow]
  return [
    ...condition,
    load(argumentPlace(argument)),
    keepBits(mask),
    ...values.map((value, index) => ifEqual(value, values.length - index, 0)),
    others,
    listed,
  ]
}

const allow = answer(verdicts.allow)

function refuse(errno: number): Instruction {
  return answer(verdicts.errno + errno)
}

import type { StoreFinding } from '../index.ts'
import type { Paint } from './paint.ts'
import { oneLine } from './text-width.ts'

/** Findings as a person reads them: how much it matters, what it is, and where. */
export function findingLines(findings: readonly StoreFinding[], paint: Paint): string[] {
  return findings.flatMap(({ weight, part, message, file, line, byte }) => {
    const place = file === undefined ? undefined : line === undefined ? file : `${file}, line ${line}, byte ${byte}`
    const word = weight.padEnd(5)
    return [
      `  ${weight === 'note' ? paint.dim(word) : paint.red(word)}  ${part}: ${oneLine(message)}`,
      ...(place === undefined ? [] : [`         ${paint.dim(oneLine(place))}`]),
    ]
  })
}

/** Whether anything is not as it should be. */
export function isWrong(findings: readonly StoreFinding[]): boolean {
  return findings.some(({ weight }) => weight !== 'note')
}

/** A finding in the wire's names. */
export function findingRow({ run, ...finding }: StoreFinding): Record<string, unknown> {
  return { ...finding, ...(run !== undefined && { run_id: run }) }
}

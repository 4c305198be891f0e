import { verifyRun } from '../index.ts'
import { findingLines, findingRow, isWrong } from './finding-lines.ts'
import type { Verb } from './verb.ts'

export const verify: Verb = {
  takes: 'RUN',
  does: 'Follows the history of a run from the journal’s bytes, and compares the bytes that it names.',
  least: 1,
  most: 1,
  options: ['head'],
  async perform({ words, options, output }) {
    const [run = ''] = words
    const { folder, head: kept } = options
    const found = await verifyRun({ folder, run, ...(kept !== undefined && { head: kept }) })
    const { findings, seq, head, blobs, elsewhere } = found
    const wrong = isWrong(findings)
    const { paint } = output
    output.text(
      wrong
        ? `${paint.red('✗')} The history of ${run} is not whole; it can be followed up to entry ${seq}.`
        : `${paint.green('✓')} The history of ${run} is whole: ${seq} ${seq === 1 ? 'entry' : 'entries'}, ${blobs} ${blobs === 1 ? 'blob' : 'blobs'}.`,
      ...(elsewhere === 0 ? [] : [`  ${elsewhere} artifacts stay in the workspace and were not compared.`]),
      ...findingLines(findings, paint),
      `  ${paint.dim('head')}  ${head}`,
    )
    for (const finding of findings) output.row(findingRow(finding))
    output.summary({ run_id: run, whole: !wrong, seq, head, blobs, elsewhere, findings: findings.length })
    return wrong ? 1 : 0
  },
}

// Sums up the receipts of everything that it depends on.
import { readInput, writeArtifact, writeOutput } from './evidence.mjs'

const { dependencies } = readInput()
const rows = Object.entries(dependencies).map(([id, { receipt }]) => {
  const seconds = receipt.spent?.seconds ?? 0
  return `| ${id} | ${receipt.result} | ${receipt.attempt} | ${seconds.toFixed(1)} s | ${oneLine(receipt.evidence)} |`
})
const passed = Object.values(dependencies).filter(({ receipt }) => receipt.result === 'pass').length

writeArtifact(
  'report.md',
  ['# What the gate found', '', '| check | result | attempt | time | evidence |', '|---|---|---|---|---|', ...rows, ''].join(
    '\n',
  ),
)
writeOutput({ checks: rows.length, passed })
console.log(`${passed} of ${rows.length} checks passed`)

function oneLine(text = '') {
  const [line = ''] = text.split('\n')
  return line.slice(0, 100).replaceAll('|', '\\|')
}

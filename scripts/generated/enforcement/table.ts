import { contractFields, type ContractField } from './contract-fields.ts'
import { pendingFields } from './pending.ts'
import type { EnforcementRow } from './row.ts'
import { enforcementRows } from './rows.ts'
import { testsNamed, titledTests, type TitledTest } from './test-titles.ts'

/** A table for each type of the contract, in the order of the fields: the rules, the tests, and what happens otherwise. */
export function enforcementTables(): string {
  const rows = new Map(enforcementRows)
  const tests = titledTests()
  const fields = contractFields()
  const types = [...new Set(fields.map(typeOf))]
  const tables = types.flatMap((type) => {
    const lines = fields
      .filter((field) => typeOf(field) === type)
      .flatMap((field) => {
        const row = rows.get(field.path)
        return row === undefined ? [] : [lineOf(type, field, row, tests)]
      })
    return lines.length === 0 ? [] : [[`### ${type}`, '', ...head, ...lines].join('\n')]
  })
  return tables.join('\n\n')
}

/** What has no row yet, by what is missing. */
export function pendingList(): string {
  return Object.entries(pendingFields)
    .map(([what, paths]) => `- ${what}: ${paths.map((path) => `\`${path}\``).join(', ')}.`)
    .join('\n')
}

function typeOf({ path }: ContractField): string {
  return path.split('.', 1)[0] ?? path
}

const head = ['| field | rules | tests | allowed, it succeeds | otherwise |', '|---|---|---|---|---|']

function lineOf(type: string, { path, aliasOf }: ContractField, row: EnforcementRow, tests: readonly TitledTest[]): string {
  const field = path === type ? path : path.slice(type.length + 1)
  const name = aliasOf === undefined ? `\`${field}\`` : `\`${field}\`, read as \`${aliasOf.slice(type.length + 1)}\``
  const links = (titles: readonly string[]): string => titles.map((title) => linkOf(title, tests)).join('<br>')
  return `| ${name} | ${row.rules.join(' ')} | ${links(row.tests)} | ${links(row.control ?? []) || '–'} | ${row.otherwise} |`
}

function linkOf(beginning: string, tests: readonly TitledTest[]): string {
  const [found] = testsNamed(beginning, tests)
  const shown = (found?.title ?? beginning).replaceAll(/[|<>[\]]/g, (sign) => `\\${sign}`)
  return found === undefined ? shown : `[${shown}](../${found.file})`
}

import { layers } from '../../test/architecture/layer-table.ts'

/** The layer table, as the test of layers holds the imports against it. */
export function layerTable(): string {
  const rows = Object.entries(layers).map(([name, { what, imports, packages, node }]) => {
    const others = imports.includes('*') ? 'everything' : imports.join(', ') || '–'
    const modules = typeof node === 'boolean' ? (node ? 'yes' : 'no') : node.join(', ')
    return `| \`${name}\` | ${what} | ${others} | ${packages.join(', ') || '–'} | ${modules} |`
  })
  return ['| layer | what | may import, besides itself | packages | `node:` |', '|---|---|---|---|---|', ...rows].join('\n')
}

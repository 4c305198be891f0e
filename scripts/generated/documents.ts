import { readFileSync } from 'node:fs'
import { enforcementTables, pendingList } from './enforcement/table.ts'
import { errorTable } from './errors.ts'
import { exampleBlock } from './examples.ts'
import { eventTable } from './events.ts'
import { layerTable } from './layers.ts'
import { lifecycleSections } from './lifecycles.ts'
import { roleTable } from './profiles.ts'
import { securitySections } from './security.ts'
import { workerProtocolSections } from './worker-protocol.ts'

const sections: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'docs/lifecycles.md': lifecycleSections(),
  'docs/errors.md': { errors: errorTable() },
  'docs/events.md': { events: eventTable() },
  'docs/enforcement.md': { fields: enforcementTables(), pending: pendingList() },
  'docs/architecture.md': { layers: layerTable() },
  'docs/security.md': securitySections(),
  'docs/profiles.md': { roles: roleTable() },
  'docs/hosts.md': {
    'worker processes': `${exampleBlock('workers/fragile.mjs', 'javascript')}\n\n${exampleBlock('worker-processes.ts', 'typescript')}`,
    'your own transport': exampleBlock('your-own-transport.ts'),
  },
  'docs/worker-protocol.md': workerProtocolSections(),
}

/** A document with parts between `<!-- name: generated -->` and `<!-- /name -->`, as it is and as it should be. */
export interface GeneratedDocument {
  readonly path: string
  readonly present: string
  readonly wanted: string
}

/** Every document that has generated parts. */
export function generatedDocuments(): GeneratedDocument[] {
  return Object.entries(sections).map(([path, parts]) => {
    const present = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
    const wanted = Object.entries(parts).reduce((text, [name, content]) => replacePart(text, name, content, path), present)
    return { path, present, wanted }
  })
}

function replacePart(text: string, name: string, content: string, path: string): string {
  const opening = `<!-- ${name}: generated -->`
  const closing = `<!-- /${name} -->`
  const from = text.indexOf(opening)
  const to = text.indexOf(closing)
  if (from < 0 || to < from) throw new Error(`${path} has no part ${opening} … ${closing}. Put the markers where it belongs.`)
  return `${text.slice(0, from)}${opening}\n\n${content}\n\n${text.slice(to)}`
}

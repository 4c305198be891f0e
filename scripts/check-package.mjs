// Packs the package as it would be published, looks at it with publint and attw, and uses it as a stranger would: the README's
// program with plain Node, and a TypeScript program against the published declarations.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = join(root, 'node_modules', '.bin')
const folder = mkdtempSync(join(tmpdir(), 'flotilla-pack-'))
try {
  const packed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    encoding: 'utf8',
    cwd: root,
  })
  const tarball = join(folder, JSON.parse(packed)[0].filename)
  execFileSync(join(bin, 'publint'), ['run', tarball, '--strict'], { stdio: 'inherit' })
  execFileSync(join(bin, 'attw'), [tarball, '--profile', 'esm-only'], { stdio: 'inherit' })
  useIt(tarball)
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function useIt(tarball) {
  const modules = join(folder, 'node_modules')
  const installed = join(modules, 'flotilla')
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1'])
  symlinkSync(join(root, 'node_modules'), join(installed, 'node_modules'))
  symlinkSync(join(root, 'node_modules', '@types'), join(modules, '@types'))

  const [, program] = /^```js\n([^]*?)^```$/m.exec(readFileSync(join(root, 'README.md'), 'utf8'))
  const [, promised] = /\/\/=> (.*)/.exec(program)
  writeFileSync(join(folder, 'hello.mjs'), program)
  const printed = execFileSync(process.execPath, ['hello.mjs'], { cwd: folder, encoding: 'utf8' }).trim()
  if (printed !== promised) throw new Error(`The README's program printed ${printed}, not ${promised}`)
  console.log(`The README's program prints: ${printed}`)

  const entries = ['flotilla', 'flotilla/protocol', 'flotilla/worker', 'flotilla/lifecycles', 'flotilla/http', 'flotilla/testing']
  writeFileSync(
    join(folder, 'consumer.ts'),
    entries.map((entry, index) => `export * as entry${index} from '${entry}'\n`).join(''),
  )
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const strict = [
    '--strict',
    '--noEmit',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--lib',
    'es2023,esnext.disposable',
    '--types',
    'node',
  ]
  execFileSync(join(bin, 'tsc'), [...strict, '--skipLibCheck', 'false', 'consumer.ts'], { cwd: folder, stdio: 'inherit' })
  console.log('Its declarations compile, without skipLibCheck.')
}

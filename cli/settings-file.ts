import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'

/** Sets one setting in the file and leaves the other lines as they are. */
export function writeSetting(file: string, name: string, value: string): void {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  const line = `${name}=${value}`
  const old = lines.findIndex((text) => text.replace(/^\s*(export\s+)?/, '').startsWith(`${name}=`))
  if (old >= 0) lines[old] = line
  else lines.splice(lines.at(-1) === '' ? lines.length - 1 : lines.length, 0, line)
  const text = lines.join('\n')
  // Written atomically, since the server may be reading it.
  const temporary = `${file}.new`
  writeFileSync(temporary, text.endsWith('\n') ? text : `${text}\n`, { mode: 0o600 })
  renameSync(temporary, file)
}

/** Creates the directory, private to its owner; an empty one that exists becomes so too. */
export function makePrivateDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (readdirSync(directory).length === 0) chmodSync(directory, 0o700)
}

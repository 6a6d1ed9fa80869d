import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { BunPlugin } from 'bun'

/** The platform that an executable is built for. */
export interface Platform {
  readonly os: 'linux' | 'darwin'
  readonly arch: 'x64' | 'arm64'
  readonly musl: boolean
}

const require = createRequire(import.meta.url)

/**
 * By default better-sqlite3 and bcrypt look for their native part at run time in the folder they were
 * built in, so the executable would only work on the machine that built it. This binds each to the
 * prebuilt file of the target, which the bundler then embeds.
 */
export function embedNativeParts(platform: Platform): BunPlugin {
  return {
    name: 'embed-native-parts',
    setup(build) {
      build.onResolve({ filter: /^better-sqlite3$/ }, () => ({ path: sqliteEntry(platform) }))

      build.onResolve({ filter: /^node-gyp-build$/ }, ({ importer }) => {
        if (dirname(importer) !== bcryptFolder()) {
          throw new Error(`${importer} has a native part that scripts/native-parts.ts must embed`)
        }
        return { path: 'bcrypt', namespace: 'native-part' }
      })
      build.onLoad({ filter: /^bcrypt$/, namespace: 'native-part' }, () => ({
        contents: `module.exports = () => require(${JSON.stringify(bcryptPart(platform))})`,
        loader: 'js',
      }))
    },
  }
}

function sqliteEntry({ os, arch, musl }: Platform): string {
  return require.resolve(`better-sqlite3/${os}${musl ? 'musl' : ''}-${arch}`)
}

function bcryptFolder(): string {
  return dirname(require.resolve('bcrypt/package.json'))
}

function bcryptPart({ os, arch, musl }: Platform): string {
  const file = os === 'linux' ? `bcrypt.${musl ? 'musl' : 'glibc'}.node` : 'bcrypt.node'
  const path = join(bcryptFolder(), 'prebuilds', `${os}-${arch}`, file)
  if (!existsSync(path)) throw new Error(`bcrypt has no prebuilt part for this target: ${path}`)
  return path
}

import packageJson from '../../package.json' with { type: 'json' }

// scripts/build-executable.ts replaces these names with literals; when run from the sources they
// do not exist.
declare const MIMIR_BUILD_VERSION: string | undefined
declare const MIMIR_BUILD_COMMIT: string | undefined

/** The version of package.json; in an executable, as of its build. */
export const VERSION: string =
  typeof MIMIR_BUILD_VERSION === 'string' ? MIMIR_BUILD_VERSION : packageJson.version

/**
 * Short hash of the git commit an executable was built from, with the suffix `-dirty` if files
 * differed; undefined when run from the sources or built outside a git checkout.
 */
export const COMMIT: string | undefined =
  typeof MIMIR_BUILD_COMMIT === 'string' ? MIMIR_BUILD_COMMIT : undefined

// Who may import whom. Each room names what of ours it may import, beside its own files; the rest
// is refused with the reason. Types count like values, except in a circle.

const rooms = [
  room('platform', [], 'is true of any program: it knows nothing of this one'),
  room(
    'config',
    ['platform', 'policy/(rate-classes|auth-methods|tenant-id)'],
    'is read before anything else exists',
  ),
  room('policy', ['platform'], 'decides from an actor alone, without a store or a transport'),
  room('runtime', ['platform'], 'is the difference between Bun and Node, and nothing else'),
  room('db', ['platform', 'config'], 'knows engines and rows, not what they are for'),
  room('events', ['db', 'platform', 'policy'], 'carries what a slice hands it'),
  room('jobs', ['db', 'platform', 'context'], 'runs what a slice hands it'),
  room('outbound', ['db', 'platform', 'config'], 'speaks to the outer world for whoever asks'),
  room(
    'xrpc',
    ['platform', 'policy', 'context', 'events/', 'runtime', 'http'],
    'is a transport: it borrows the plainest of HTTP and knows no feature and no store',
  ),
  ...['http', 'hub', 'mcp', 'control'].map((name) =>
    room(
      name,
      ['platform', 'policy', 'context', 'events/', 'runtime', 'http/(body|on-error)'],
      'is a transport: it knows no feature, no store and no other transport',
    ),
  ),
]

const everySlice = '^src/features/[^/]+/'
const machinery = '^src/(platform|policy|context|events|db|jobs|outbound|config)[/.]'

// The shapes and refusals of other slices that a use case may answer with, where a caller meets them.
const words = `${everySlice}(errors|schema)`

const slices = [
  slice(
    'schema',
    [
      '^src/(platform/|policy/(auth-methods|permissions|permission-names|tenant-id)[.])',
      `${everySlice}schema`,
    ],
    'is the shape on the wire',
  ),
  slice('errors', ['^src/platform/'], 'is the code and text of a refusal'),
  slice(
    'store|access',
    ['^src/(db|platform|policy|events)/', own('(schema|errors|store|access|columns)')],
    'is SQL and rights: it decides nothing else, and reads no other slice’s tables by its store',
  ),
  slice(
    'service',
    [machinery, own(''), `${everySlice}(access|service|schema|events|errors|compose|personal)`],
    'never reaches into another slice’s store, nor knows by which transport it was called',
  ),
  slice(
    'routes|[a-z-]*pages',
    [machinery, '^src/http/', own(''), words, `${everySlice}(access|service)`],
    'spells use cases for REST',
  ),
  slice('hub', [machinery, '^src/hub/', own(''), words], 'spells its own slice for the hub'),
  slice('mcp', [machinery, '^src/mcp/', own(''), words], 'spells its own slice for AI clients'),
  slice(
    'xrpc[\\w-]*',
    [machinery, '^src/xrpc/', own(''), words, `${everySlice}(access|service)`],
    'spells its own slice for XRPC',
  ),
  slice(
    'commands',
    [machinery, '^src/control/', own(''), words],
    'spells its own slice for operators',
  ),
  slice('jobs', [machinery, own(''), `${everySlice}events`], 'runs its own slice by the clock'),
]

const edges = [
  forbid(
    'mls wire',
    '^src/features/mls/wire/',
    ['^src/features/mls/wire/'],
    'reads bytes as RFC 9420 defines them, and knows nothing of this server',
  ),
  forbid(
    'app',
    '^src/app/',
    ['^src/', '^migrations/'],
    'builds the server; the command line starts it',
  ),
  {
    name: 'context-imports',
    comment: 'context is the type of what a use case is handed: nothing runs in it.',
    severity: 'error',
    from: { path: '^src/context[.]ts$' },
    to: { dependencyTypesNot: ['type-only'] },
  },
  forbid(
    'cli',
    '^cli/',
    ['^cli/', '^src/(app|control|config|platform)/', `${everySlice}(commands|schema)`],
    'is a thin call of what the server does; it opens no store of its own',
  ),
  forbid(
    'migrations',
    '^migrations/',
    ['^migrations/', '^src/db/(columns|migrate)'],
    'must not follow living code: an old one does today what it did then',
  ),
  forbid(
    'client',
    '^client/',
    ['^client/'],
    'is a package of its own: it knows the server by its methods',
  ),
  {
    name: 'circle',
    comment: 'Two files that need each other at run time are one file, or three.',
    severity: 'error',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
  {
    name: 'development-package',
    comment: 'A server must not need what only its developers install.',
    severity: 'error',
    from: { path: '^(src|cli|migrations|client)/', pathNot: '[.]test[.]ts$' },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'], dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'missing',
    comment: 'There is no such file or package.',
    severity: 'error',
    // What has packages of its own is installed only where it runs.
    from: { pathNot: '^test/pds/serve[.]mjs$' },
    to: { couldNotResolve: true },
  },
]

export default {
  forbidden: [...rooms, ...slices, ...edges],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    combinedDependencies: false,
    // Bun's own modules are there only for Bun.
    exclude: { path: '^bun(:|$)' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}

/** A folder of `src`: imports itself and the named others. */
function room(name, others, why) {
  const allowed = [name, ...others].map((other) => `^src/${other}([/.]|(?<=/)|-|$)`)
  return forbid(name, `^src/${name}/`, allowed, why)
}

/** Files (or a folder of them) of a slice by name, `$1` being the slice; `service` stands for all that have no rule. */
function slice(files, allowed, why) {
  const named = 'schema|errors|store|access|routes|[a-z-]*pages|hub|mcp|xrpc[\\w-]*|commands|jobs'
  const file = files === 'service' ? `(?!(${named})[./])` : `(${files})[./]`
  const title = `slice ${files.replace('|', ', ')}`
  return forbid(title, `^src/features/([^/]+)/${file}`, [own(`(${files})[./]`), ...allowed], why)
}

function own(file) {
  return `^src/features/$1/${file}`
}

/** Refuses every file of this project that is not on the list. */
function forbid(name, from, allowed, why) {
  return {
    name: `${name.replace(/\W+/g, '-').replace(/^-|-$/g, '')}-imports`,
    comment: `${name} ${why}.`,
    severity: 'error',
    from: { path: from, pathNot: '[.]test[.]ts$' },
    to: { path: '^(src|cli|migrations|client|test|bench|scripts)/', pathNot: allowed },
  }
}

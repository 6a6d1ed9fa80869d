import type {
  Lexicons,
  LexXrpcProcedure,
  LexXrpcQuery,
  LexXrpcSubscription,
} from '@atproto/lexicon'
import { AppError } from '../platform/errors.ts'
import { isStorable } from '../platform/text.ts'
import { xrpcErrors } from './errors.ts'

type Definition = LexXrpcQuery | LexXrpcProcedure | LexXrpcSubscription

/** Parses and checks requests and answers against our lexicons. */
export interface Validator {
  definition(nsid: string): Definition
  /** The parameters of a query string, typed as the lexicon defines. Throws `InvalidRequest`. */
  params(nsid: string, search: URLSearchParams): object
  /** A JSON body as a lexicon value, with bytes decoded. Throws `InvalidRequest`. */
  input(nsid: string, json: unknown): object
  /** A value as JSON; with `check` throws a plain error if it breaks the lexicon. */
  output(nsid: string, value: object, check: boolean): unknown
  /** Like `output`, for an event of a subscription. */
  event(nsid: string, type: string, value: object, check: boolean): unknown
  /** Whether the lexicon declares the error for the method. */
  declares(nsid: string, error: string): boolean
}

let loaded: Promise<Validator> | undefined

/** Loaded with the first XRPC request, which many servers never get. */
export function loadValidator(): Promise<Validator> {
  loaded ??= load()
  return loaded
}

async function load(): Promise<Validator> {
  const [library, { lexicons: documents }] = await Promise.all([
    import('@atproto/lexicon'),
    import('../../lexicons/index.ts'),
  ])
  const { jsonToLex, lexToJson, ValidationError } = library
  const lexicons: Lexicons = new library.Lexicons(
    documents as unknown as ConstructorParameters<typeof library.Lexicons>[0],
  )
  const definition = (nsid: string) => lexicons.getDefOrThrow(nsid) as Definition
  const refused = <T>(check: () => T): T => {
    try {
      return check()
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error
      throw new AppError({ ...xrpcErrors.invalidRequest, message: error.message })
    }
  }
  const asJson = (value: object) => lexToJson(value as Parameters<typeof lexToJson>[0])
  const asLex = (value: unknown) => jsonToLex(value as Parameters<typeof jsonToLex>[0])

  return {
    definition,
    params(nsid, search) {
      const types = definition(nsid).parameters?.properties ?? {}
      const read = Object.entries(types).flatMap(([name, type]) => {
        const values = search.getAll(name)
        if (values.length === 0) return []
        if (type.type === 'array') return [[name, values.map((text) => asType(type.items, text))]]
        // A repeated parameter stays a list, which no type accepts: which value counts would be ambiguous.
        return [[name, values.length === 1 ? asType(type, values[0] as string) : values]]
      })
      requireStorable(Object.fromEntries(read))
      return refused(() => lexicons.assertValidXrpcParams(nsid, Object.fromEntries(read))) ?? {}
    },
    input(nsid, json) {
      // The library accepts a list as an object without required fields.
      if (Array.isArray(json)) throw new AppError(xrpcErrors.invalidRequest)
      requireStorable(json)
      return refused(() => lexicons.assertValidXrpcInput(nsid, asLex(json))) as object
    },
    output(nsid, value, check) {
      const json = asJson(value)
      if (check) lexicons.assertValidXrpcOutput(nsid, asLex(JSON.parse(JSON.stringify(json))))
      return json
    },
    event(nsid, type, value, check) {
      const json = asJson(value)
      const typed = { $type: `${nsid}#${type}`, ...(JSON.parse(JSON.stringify(json)) as object) }
      if (check) lexicons.assertValidXrpcMessage(nsid, asLex(typed))
      return json
    },
    declares: (nsid, error) => (definition(nsid).errors ?? []).some(({ name }) => name === error),
  }
}

/** Deeper than any of our lexicons nests. */
const MAX_DEPTH = 16

/** Refuses text that a store could not return unchanged, and values nested too deeply. */
function requireStorable(value: unknown, depth = 0): void {
  if (typeof value === 'string') {
    if (!isStorable(value)) throw new AppError(xrpcErrors.invalidRequest)
  } else if (typeof value === 'object' && value !== null) {
    if (depth > MAX_DEPTH) throw new AppError(xrpcErrors.invalidRequest)
    for (const [name, inner] of Object.entries(value)) {
      requireStorable(name)
      requireStorable(inner, depth + 1)
    }
  }
}

/** Converts a parameter to its type; text that does not fit stays as it is, and the lexicon refuses it. */
function asType({ type }: { readonly type: string }, text: string): unknown {
  if (type === 'integer' && /^-?\d{1,15}$/.test(text)) return Number(text)
  if (type === 'boolean' && /^(true|false)$/.test(text)) return text === 'true'
  return text
}

import type { z } from 'zod'
import { AppError } from '../platform/errors.ts'
import { parseInput } from '../platform/parse-input.ts'
import { readJson } from './body.ts'
import type { Route } from './define-route.ts'

/** Largest JSON body: twice the longest message in its worst encoding, with room for the rest. */
const MAX_JSON_BYTES = 64 * 1024

/**
 * The validated body, query and path parameters in one object; the path wins. Undefined if the body is
 * invalid and the route answers regardless (`alwaysDone`).
 */
export async function inputOf(
  route: Route,
  request: Request,
  params: Readonly<Record<string, string>>,
): Promise<object | undefined> {
  const body = route.body ? await bodyOf(route, route.body, request) : {}
  if (body === undefined) return undefined
  return {
    ...body,
    ...(route.query ? parseInput(route.query, queryOf(request)) : {}),
    ...(route.params ? parseInput(route.params, params) : {}),
  }
}

/** The validated body; undefined as for `inputOf`. */
async function bodyOf(
  route: Route,
  schema: z.ZodObject,
  request: Request,
): Promise<object | undefined> {
  try {
    // If no field is required, a client may omit the body.
    const body = await readJson(request, MAX_JSON_BYTES, schema.safeParse({}).success)
    if (isObject(body)) route.judgeFirst?.(body)
    return parseInput(schema, body)
  } catch (error) {
    if (route.alwaysDone && error instanceof AppError && error.kind === 'invalid') return undefined
    throw error
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A repeated parameter stays a list, which no schema accepts: which value counts would be ambiguous. */
function queryOf(request: Request): Record<string, string | string[]> {
  const { searchParams } = new URL(request.url)
  const query: Record<string, string | string[]> = {}
  for (const name of new Set(searchParams.keys())) {
    const values = searchParams.getAll(name)
    query[name] = values.length === 1 ? (values[0] as string) : values
  }
  return query
}

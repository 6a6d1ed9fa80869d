import type { Filter, Filters, Properties } from './schema.ts'

/** The values that the property may equal, if the filter tests for equality. */
export function valuesOf(filter: Filter): readonly (string | number | boolean)[] | undefined {
  if (filter === null) return undefined
  return typeof filter === 'object' ? filter.in : [filter]
}

/** The test to run on the property itself, if the filter tests for more than equality. */
export function testOf(filter: Filter): ((value: unknown) => boolean) | undefined {
  // To clients, a missing property is null.
  if (filter === null) return (value) => value === undefined || value === null
  if (typeof filter !== 'object') return undefined
  const { gte, lte, contains, not } = filter
  if ([gte, lte, contains, not].every((one) => one === undefined)) return undefined
  return (value) =>
    (gte === undefined || (typeof value === typeof gte && (value as typeof gte) >= gte)) &&
    (lte === undefined || (typeof value === typeof lte && (value as typeof lte) <= lte)) &&
    (contains === undefined || holds(value, contains)) &&
    (not === undefined || !equals(value, not))
}

/** A property by its name, never what every object inherits. */
export function propertyOf(properties: Properties, name: string): unknown {
  return Object.hasOwn(properties, name) ? properties[name] : undefined
}

/** Whether the properties fulfil every filter: what a query decides with the index of terms. */
export function fulfils(properties: Properties, filters: Filters): boolean {
  return Object.entries(filters).every(([name, filter]) => {
    const value = propertyOf(properties, name)
    const isEqual = valuesOf(filter)?.some((one) => equals(value, one)) ?? true
    return isEqual && (testOf(filter)?.(value) ?? true)
  })
}

/** A list equals each of its items. */
function equals(value: unknown, wanted: string | number | boolean): boolean {
  return Array.isArray(value) ? value.includes(wanted) : value === wanted
}

function holds(value: unknown, part: string): boolean {
  if (Array.isArray(value)) return value.some((item) => holds(item, part))
  return typeof value === 'string' && value.toLowerCase().includes(part.toLowerCase())
}

/** The Workspace domain or organisation that a provider's settings may require. */
export interface IssuerRequirements {
  readonly hostedDomain: string | undefined
  readonly organization: string | undefined
}

/**
 * Checked at every sign-in and for every bearer token, even if the account exists. Returns what does not
 * match, or undefined if everything does.
 */
export function brokenRequirement(
  { hostedDomain, organization }: IssuerRequirements,
  claims: Readonly<Record<string, unknown>>,
): string | undefined {
  const { hd, org_id } = claims
  if (
    hostedDomain !== undefined &&
    !(typeof hd === 'string' && hd.toLowerCase() === hostedDomain)
  ) {
    return 'another hosted domain'
  }
  if (organization !== undefined && org_id !== organization) return 'another organization'
  return undefined
}

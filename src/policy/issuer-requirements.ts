/** The one Workspace domain or organisation that a provider's settings name, if they do. */
export interface IssuerRequirements {
  readonly hostedDomain: string | undefined
  readonly organization: string | undefined
}

/**
 * What has to hold at every sign-in and of every bearer token, also of somebody who has an account.
 * Undefined when it does, else what does not.
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

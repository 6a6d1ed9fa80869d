type Program = 'caddy' | 'chromium' | 'nginx' | 'openssl' | 'turnserver' | 'turnutils_uclient'

export declare const PACKAGES: Readonly<Record<Program, string>>
export declare function findProgram(name: Program): string | undefined

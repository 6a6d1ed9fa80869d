type Program = 'chromium' | 'nginx' | 'openssl' | 'turnserver'

export declare const PACKAGES: Readonly<Record<Program, string>>
export declare function findProgram(name: Program): string | undefined

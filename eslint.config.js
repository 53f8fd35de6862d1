import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const processEnv = {
  object: 'process',
  property: 'env',
  message: 'Settings are parsed in src/app/config alone; pass the value in.',
};

export default defineConfig(
  { ignores: ['dist/', 'coverage/', 'node_modules/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  { languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } } },
  {
    rules: {
      // States are closed unions: a new member must not compile, or lint, until every switch handles it.
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        {
          allowDefaultCaseForExhaustiveSwitch: false,
          considerDefaultExhaustiveForUnions: false,
          requireDefaultForNonUnion: false,
        },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      eqeqeq: 'error',
      'no-console': 'error',
      'no-restricted-properties': ['error', processEnv],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            { name: 'node:process', importNames: ['env'], message: processEnv.message },
            { name: 'process', message: 'Use the global.' },
          ],
        },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'ImportDeclaration[source.value=/^\\./]:not([source.value=/\\.(ts|js|json)$/])',
          message: 'Relative imports end in .ts.',
        },
      ],

      // Off: an async method without await is how an interface's Promise is honoured, and turns a throw into a rejection.
      '@typescript-eslint/require-await': 'off',
      // Numbers and booleans in a message read as they should; objects, null and undefined stay errors.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // `() => socket.destroy()` is the plain way to write a callback; the value is not used.
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // `for (;;)` and `while (true)` are how a page loop is written.
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      // `_name` says that a signature demands the parameter.
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' },
      ],
      // `signal.reason` is any; by contract it is a TrailhoundError.
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingAny: true }],
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingAny: true, allowRethrowing: true }],
      // What it asks for is what no-non-null-assertion forbids.
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      // `options['path']` says that the key may be missing, as a declared property's cannot.
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
      // The compiler checks it (noFallthroughCasesInSwitch), and knows what never returns.
      'no-fallthrough': 'off',
      // An empty function is a fine listener or release.
      '@typescript-eslint/no-empty-function': 'off',
    },
  },
  { files: ['src/app/config/**'], rules: { 'no-restricted-properties': 'off' } },
  {
    // A parse tree's kinds are PostgreSQL's, by the dozen; most mean "nothing of ours", which a default says best.
    files: ['src/sql/**', 'src/planner/**', 'src/query/**'],
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { allowDefaultCaseForExhaustiveSwitch: false, considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  // The command line and the benchmarks write to the terminal: that is their purpose.
  { files: ['src/cli/**', 'bench/**'], rules: { 'no-console': 'off' } },
  {
    files: ['**/*.test.ts', 'test/**', 'bench/**'],
    rules: {
      // A test's own environment (TRAILHOUND_TEST_DATA) and that of the processes it starts.
      'no-restricted-properties': 'off',
      // `rows[0]!` in a test fails with a clear message of its own.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // JSON.parse, pg rows and fetch bodies are any; the assertion on them is the check.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
    },
  },
  // Plain JavaScript (configuration, bin/) has no types to check.
  {
    files: ['**/*.{js,cjs,mjs}'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { process: 'readonly', module: 'writable', console: 'readonly' } },
  },
);

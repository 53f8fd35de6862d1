/** Parameters of the start-up message that are no settings (ProcessStartupPacket in backend_startup.c). */
const NO_SETTINGS: ReadonlySet<string> = new Set(['user', 'database', 'replication', 'options']);

/** The names of the settings that a start-up message sets: by parameters of its own, and by `options`, as PGOPTIONS are. */
export function startupSettings(parameters: readonly (readonly [name: string, value: string])[]): readonly string[] {
  return parameters.flatMap(([name, value]) => {
    if (name === 'options') return optionNames(words(value));
    return NO_SETTINGS.has(name) ? [] : [name];
  });
}

/** `-c name=value`, `-cname=value`, `--name=value`; a hyphen in a name is an underscore (ParseLongOption in guc.c). */
function optionNames(list: readonly string[]): string[] {
  const names: string[] = [];
  for (let at = 0; at < list.length; at += 1) {
    const word = list[at] ?? '';
    let setting: string | undefined;
    if (word.startsWith('--')) setting = word.slice(2);
    else if (word === '-c') setting = list[(at += 1)];
    else if (word.startsWith('-c')) setting = word.slice(2);
    if (setting !== undefined) names.push((setting.split('=', 1)[0] ?? '').replaceAll('-', '_'));
  }
  return names;
}

/** Split at blanks that no backslash escapes (pg_split_opts in postinit.c). */
function words(text: string): string[] {
  const found: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (/\s/.test(character)) {
      if (word !== undefined) found.push(word);
      word = undefined;
    } else {
      if (character === '\\') at += 1;
      word = (word ?? '') + text.charAt(at);
    }
  }
  return word === undefined ? found : [...found, word];
}

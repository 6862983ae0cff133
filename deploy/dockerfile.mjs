// What a Dockerfile says, as far as ours has it.
import { DockerfileParser } from 'dockerfile-ast';

/**
 * Its stages, each with its folder, environment, steps, and how it is run.
 * @throws where it has an instruction that is not known here
 */
export function readStages(text) {
  const file = DockerfileParser.parse(text);
  const globals = new Map();
  const stages = [];
  for (const instruction of file.getInstructions()) {
    const keyword = instruction.getKeyword();
    const words = instruction.getArguments().map((argument) => argument.getValue());
    const stage = stages.at(-1);
    if (keyword === 'ARG' && !stage) {
      const [name, value] = words[0].split('=');
      globals.set(name, value);
    } else if (keyword === 'FROM') {
      const from = words[0].replace(/\$\{(\w+)\}/g, (_, name) => globals.get(name));
      const name = words[1]?.toUpperCase() === 'AS' ? words[2] : `stage-${stages.length}`;
      stages.push({ name, from, folder: '/', env: {}, user: undefined, ports: [], volumes: [], steps: [] });
    } else if (keyword === 'WORKDIR') stage.folder = words[0];
    else if (keyword === 'ENV')
      for (const property of instruction.getProperties()) stage.env[property.getName()] = property.getValue();
    else if (keyword === 'COPY') {
      const from = instruction
        .getFlags()
        .find((flag) => flag.getName() === 'from')
        ?.getValue();
      stage.steps.push({ keyword, args: words, from, text: instruction.getRawArgumentsContent() });
    } else if (keyword === 'RUN') {
      const command = instruction.getArgumentsContent().replace(/\\\n\s*/g, '');
      stage.steps.push({ keyword, args: words, text: command });
    } else if (keyword === 'USER') stage.user = words[0];
    else if (keyword === 'EXPOSE') stage.ports.push(...words.map(Number));
    else if (keyword === 'VOLUME') stage.volumes.push(...jsonOf(instruction));
    else if (keyword === 'ENTRYPOINT') stage.entrypoint = jsonOf(instruction);
    else if (keyword === 'CMD') stage.command = jsonOf(instruction);
    else if (keyword === 'HEALTHCHECK')
      stage.healthCheck = JSON.parse(/CMD\s+(\[.*\])\s*$/s.exec(instruction.getRawArgumentsContent())[1]);
    else throw new Error(`${keyword} is not known here`);
  }
  return stages;
}

const jsonOf = (instruction) => JSON.parse(instruction.getRawArgumentsContent());

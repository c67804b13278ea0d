import { expect, test } from "vitest";
import { isSilence } from "../../providers/docker-cli.ts";

test.each([
  "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
  'error during connect: Post "http://%2Fvar%2Frun%2Fdocker.sock/v1.41/containers/a/update": EOF',
  "unexpected EOF",
])("an engine that is away is told from one that refuses: %s", (error) => {
  expect(isSilence(error)).toBe(true);
});

test.each(["No such container: a", "container a is not running", "there is no docker command", ""])(
  "an engine that refuses is told from one that is away: %s",
  (error) => {
    expect(isSilence(error)).toBe(false);
  },
);

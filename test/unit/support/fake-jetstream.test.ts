import { FakeJetStream } from "../../support/fake-jetstream.ts";
import { describeJetStreamPort } from "../../support/jetstream-conformance.ts";
import { SEED_FLEET } from "../../support/seed.ts";

const shared = new FakeJetStream(SEED_FLEET);

describeJetStreamPort("in memory", () => shared);

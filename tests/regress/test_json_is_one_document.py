"""With --json, standard output is one JSON document, whatever the policy
prints: that goes to standard error."""
from fake import ID, Fake

POLICY = 'print("talk", 1, nil)\nfal.delete_payloads("%s")' % ID


def test_a_run_prints_one_document(tmp_path):
    with Fake(tmp_path) as fake:
        done = fake.policy(POLICY, "--json")
    assert fake.json(done)["counts"]["deleted"] == 1
    assert b"talk\t1\tnil\n" in done.stderr


def test_a_plan_prints_one_document(tmp_path):
    with Fake(tmp_path) as fake:
        done = fake.policy(POLICY, "plan", "--json")
    assert [row["request_id"] for row in fake.json(done)["planned"]] == [ID]
    assert b"talk\t1\tnil\n" in done.stderr


def test_without_json_print_is_data(tmp_path):
    with Fake(tmp_path) as fake:
        done = fake.policy(POLICY)
    assert done.stdout == b"talk\t1\tnil\n"

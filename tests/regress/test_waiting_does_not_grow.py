"""A script that mostly waits does not fill the heap.

Each wait makes an object with a finalizer, which lives through the collection
that finds it dead and counted as in use then, so that the collector waited
longer from cycle to cycle.
"""
import os
import subprocess

FALRUN = os.environ.get("FALRUN", os.path.join(
    os.path.dirname(__file__), "..", "..", "build", "asan", "falrun"))


def test_it(tmp_path):
    (tmp_path / "policy.lua").write_text("""
print(collectgarbage "count")
for i = 1, 60000 do
  fal.sleep "1ms"
  if i % 20000 == 0 then print(collectgarbage "count") end
end
""")
    (tmp_path / "it_test.lua").write_text("""
test("it", function(t) t.run "policy.lua" t.exit(1) end)
""")
    done = subprocess.run([FALRUN, "test", "--json"], cwd=tmp_path,
                          capture_output=True, text=True, timeout=120)
    said = done.stdout.split('"said":"')[1].split('"')[0]
    sizes = [float(size) for size in said.split("\\n") if size]
    assert len(sizes) == 4
    assert max(sizes[1:]) < 4 * sizes[0], sizes

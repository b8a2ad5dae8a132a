import csv, io, json, pytest, importlib.util, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("tk", Path(__file__).with_name("test_kills.py")); tk = importlib.util.module_from_spec(spec); spec.loader.exec_module(tk)
pytestmark = pytest.mark.timeout(500)

def back(s):
    (s.root/"inbox/acme/inventory.csv").write_text("SKU,Qty\nA,1\nB,x\nC,-3\n")
    assert s.run().code == 1
    f = s.root/"outbox/acme/replies/inventory.csv.rejects.csv"
    rows = list(csv.reader(io.StringIO(f.read_text())))
    for r in rows[1:2]: r[1] = "7"
    out = io.StringIO(); csv.writer(out).writerows(rows)
    (s.root/"inbox/acme/inventory.csv.rejects.csv").write_text(out.getvalue())
def back_xlsx(s):
    (s.root/"inbox/acme/inventory.csv").write_text("SKU,Qty\nA,1\nB,x\nC,-3\n")
    assert s.run().code == 1
    from openpyxl import load_workbook
    b = load_workbook(s.root/"outbox/acme/replies/inventory.csv.rejects.xlsx"); b.active["B2"]="7"; b.save(s.root/"inbox/acme/mended.xlsx")
def own(s):
    (s.root/"inbox/acme/inventory.csv").unlink()
    (s.root/"inbox/acme/mine.csv").write_text("vpc,quantity\nA,1\nB,x\n")
def held(s):
    (s.root/"inbox/acme/inventory.csv").write_text("SKU,Qty\nA,1\nB,2\nC,3\n")
    assert s.run().code == 0
    (s.root/"inbox/acme/inventory.csv").write_text("SKU,Qty\nA,0\nB,0\n")
def released(s):
    held(s)
    assert s.run().code == 1
    from filebridge.ledger.connect import read_ledger
    from filebridge.ledger import files
    l = read_ledger(f"sqlite:///{s.root/'.filebridge/ledger.db'}")
    with l.read() as c: i = files.files(c)[0].id
    l.close()
    import subprocess
    s.warm.run("-C", str(s.root), "release", i)
def empty(s):
    (s.root/"inbox/acme/inventory.csv").write_text("")
def refused(s):
    (s.root/"inbox/acme/inventory.csv").write_text("SKU,Qty\nA,1\nNOPE,2\nC,3\n")
    s.sandbox.settings = s.sandbox.settings.changed({"refuse_vpcs":["NOPE"]})
def two(s):
    (s.root/"inbox/acme/inventory.csv").write_text("SKU,Qty\nA,1\nB,2\n")
    (s.root/"inbox/acme/inventory-2.csv").write_text("SKU,Qty\nA,3\nB,2\n")
    import os; os.utime(s.root/"inbox/acme/inventory.csv",(1e9,1e9))
SET = dict(back=back, back_xlsx=back_xlsx, own=own, held=held, released=released, empty=empty, refused=refused, two=two)
@pytest.mark.parametrize("name", SET)
def test_in(name, scene):
    clean = scene("in"); SET[name](clean); e = clean.run(); wanted = clean.left()
    print(name, e)
    fails=[]
    for n, step in enumerate(e.steps,1):
        cut = scene("in"); SET[name](cut)
        k = cut.run(kill_at=n); assert k.code==-9
        r = cut.run("--settle")
        if r.code not in (0,1): fails.append(f"{n} {step} code {r.code}")
        fails += [f"{n} {step}: {x[:600]}" for x in tk.differences(wanted, cut.left())]
    assert not fails, "\n".join(fails)

def edited(s):
    s.sandbox.faults.add(kind="edit_po", action="fetch", po="D102", items=[{"po_item_id": 21, "vpc": "001", "quantity": 9}])
def cancelled(s):
    s.sandbox.faults.add(kind="cancel_po", action="fetch", po="D102")
def later_change(s):
    assert s.run().code == 0
    s.sandbox.state.change_po("D102", items=[{"po_item_id": 21, "vpc": "001", "quantity": 9}])
    s.sandbox.state.change_po("D103", fields={"status":"ready"}, items=[{"po_item_id": 31, "vpc": "001", "quantity": 5}])
OUT = dict(edited=edited, cancelled=cancelled, later_change=later_change)
@pytest.mark.parametrize("name", OUT)
def test_out(name, scene):
    clean = scene("out"); OUT[name](clean); e = clean.run(); wanted = clean.left()
    print(name, e, wanted["pos"], wanted["outbox"], clean.marks())
    fails=[]
    for n, step in enumerate(e.steps,1):
        cut = scene("out"); OUT[name](cut)
        k = cut.run(kill_at=n); assert k.code==-9
        r = cut.run("--settle")
        if r.code not in (0,1): fails.append(f"{n} {step} code {r.code}")
        fails += [f"{n} {step}: {x[:600]}" for x in tk.differences(wanted, cut.left())]
        if cut.marks()!=clean.marks(): fails.append(f"{n} {step} marks {cut.marks()} {clean.marks()}")
    assert not fails, "\n".join(fails)

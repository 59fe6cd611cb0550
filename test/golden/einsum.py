"""Writes einsum.json: NumPy's results and opt_einsum's costs for the expressions of opt_einsum's own tests.

Needs NumPy and opt_einsum (3.4). Operand k has element n = (n*n + 7*n + 5*k + 3) % 9 - 4: small integers, so that float64
is exact and only results are stored.
"""

import functools
import itertools
import json
import sys

import numpy
import opt_einsum

# opt_einsum/tests/test_contract.py, each once, and some of its input tests; extents as in opt_einsum/testing.py.
EXPRESSIONS = """
a,->a ab,->ab ,ab,->ab ,,-> a,ab,abc->abc a,b,ab->ab
ea,fb,gc,hd,abcd->efgh ea,fb,abcd,gc,hd->efgh abcd,ea,fb,gc,hd->efgh
acdf,jbje,gihb,hfac,gfac,gifabc,hfac cd,bdhe,aidb,hgca,gc,hgibcd,hgac abhe,hidj,jgba,hiab,gab
bde,cdh,agdb,hica,ibd,hgicd,hiac chd,bde,agbc,hiad,hgc,hgi,hiad chd,bde,agbc,hiad,bdi,cgh,agdb bdhe,acad,hiab,agac,hibd
ab,ab,c-> ab,ab,c->c ab,ab,cd,cd-> ab,ab,cd,cd->ac ab,ab,cd,cd->cd ab,ab,cd,cd,ef,ef->
ab,cd,ef->abcdef ab,cd,ef->acdf ab,cd,de->abcde ab,cd,de->be ab,bcd,cd->abcd ab,bcd,cd->abd
eb,cb,fb->cef dd,fb,be,cdb->cef bca,cdb,dbf,afc-> dcc,fce,ea,dbf->ab fdf,cdd,ccd,afe->ae abcd,ad
ed,fcd,ff,bcf->be baa,dcf,af,cde->be bd,db,eac->ace fff,fae,bef,def->abd efc,dbc,acf,fd->abe
ab,ab ab,ba abc,abc abc,bac abc,cba ab,bc ab,cb ba,bc ba,cb abcd,cd abcd,ab abcd,cdef abcd,cdef->feba abcd,efdc
aab,bc->ac ab,bcc->ac aab,bcc->ac baa,bcc->ac aab,ccb->ac
aab,fa,df,ecc->bde ecb,fef,bad,ed->ac bcf,bbb,fbf,fc-> bb,ff,be->e bcb,bb,fc,fff-> fbb,dfd,fc,fc->
afd,ba,cc,dc->bf adb,bc,fa,cfc->d bbd,bda,fc,db->acf dba,ead,cad->bce aef,fbc,dca->bde
a a-> aa aa-> aa->a ab->ba ba abc->b abc->cab ab,bc,cd,de,ef->af abc,bdef,fghj,cem,mhk,ljk->adgl
""".split()
# Ellipses with axes of all operands or of some, of extent 1, and none at all.
STRETCHED = [
    ("...i,i->...", [(2, 3, 4), (4,)]),
    ("...ij,...jk->...ik", [(2, 3, 4), (2, 4, 5)]),
    ("...ij,...jk", [(2, 1, 3, 4), (3, 4, 2)]),
    ("i...,...j,...->...ji", [(3, 1, 2), (4, 2, 2), (2,)]),
    ("a...a->...", [(3, 2, 4, 3)]),
    ("...,...->...", [(2, 1, 3), (4, 1)]),
    ("...", [(2, 3)]),
    ("b...a", [(2, 3, 4)]),
    ("...i,...i->", [(3,), (3,)]),
    ("...a,b...->b...a", [(0, 3), (2, 1)]),
]
EXTENTS = dict(zip("abcdefghijklmnopqABC", [2, 3, 4, 5, 4, 3, 2, 6, 5, 4, 3, 2, 5, 7, 4, 3, 2, 3, 4, 9]))


def operand(k, shape):
    n = numpy.arange(int(numpy.prod(shape)))
    return ((n * n + 7 * n + 5 * k + 3) % 9 - 4).astype(numpy.float64).reshape(shape)


def least(expression):
    """The least cost of all pairwise orders by opt_einsum's count of one contraction; its 'optimal' may be dearer, since
    its search counts a sum over an index of one operand as free."""
    words, arrow, output = expression.partition("->")
    if not arrow:
        letters = words.replace(",", "")
        output = [label for label in letters if letters.count(label) == 1]

    @functools.lru_cache(None)
    def cost(tensors):
        if len(tensors) == 1:
            return 0
        totals = []
        for i, j in itertools.combinations(range(len(tensors)), 2):
            rest = [tensor for n, tensor in enumerate(tensors) if n not in (i, j)]
            both = tensors[i] | tensors[j]
            left = both & frozenset(output).union(*rest)
            flops = opt_einsum.helpers.flop_count(both, both != left, 2, EXTENTS)
            totals.append(flops + cost(tuple(sorted([*rest, left], key=sorted))))
        return min(totals)

    return cost(tuple(sorted(map(frozenset, words.split(",")), key=sorted)))


def result(expression, shapes):
    out = numpy.einsum(expression, *[operand(k, shape) for k, shape in enumerate(shapes)], optimize=True)
    assert numpy.abs(out).max(initial=0) < 2**53
    return {
        "expression": expression,
        "shapes": [list(shape) for shape in shapes],
        "out": {"shape": list(out.shape), "data": [int(x) for x in out.ravel()]},
    }


def record(expression):
    words = expression.split("->")[0].split(",")
    shapes = [tuple(EXTENTS[label] for label in word) for word in words]
    cost = {}
    if len(words) > 1:
        _, info = opt_einsum.contract_path(expression, *shapes, shapes=True, optimize="optimal")
        cost = {"least": int(least(expression)), "optimal": int(info.opt_cost)}
    return {**result(expression, shapes), **cost}


def main():
    cases = [record(e) for e in EXPRESSIONS] + [result(*example) for example in STRETCHED]
    head = {"type": "einsum", "numpy": numpy.__version__, "cases": cases}
    with open(sys.argv[1] if len(sys.argv) > 1 else "einsum.json", "w") as file:
        file.write(json.dumps(head, separators=(",", ":")) + "\n")


main()

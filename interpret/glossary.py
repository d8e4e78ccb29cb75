"""The terms of the method and their meaning, the literature, and how to cite: for the Method page and the report."""

GLOSSARY = (
    (
        "Unit",
        "One channel of the chosen layer, after its non-linearity. A layer of 1,280 channels has 1,280 units. In a "
        "study made with sparse codes, one of their latents.",
    ),
    (
        "Grad-CAM map",
        "How much each location of a photo supports a class: the units’ activations, weighted by how much they raise "
        "the class’s score.",
    ),
    (
        "Patch",
        "The box around a connected region where the map is at least a fraction (τ) of its maximum, or around each "
        "peak of such a region.",
    ),
    (
        "Transaction",
        "A patch encoded as the strongest of its units and the class that the model predicted for the photo: those of "
        "its N best that score above what they score in nearly all of the contrast (97 % of it). The poster’s "
        "transactions hold all N.",
    ),
    (
        "Itemset",
        "A set of units, frequent in a class if at least a share s of the class’s transactions hold all its units.",
    ),
    (
        "To carry a class",
        "A unit carries a class if it is frequent in the class’s patches, alone or in an itemset. Whether the class "
        "needs it is another question, which ablating it answers.",
    ),
    (
        "Support",
        "That share. Per patch, each patch counts; per photo, each photo counts once, however many of its patches hold "
        "the itemset.",
    ),
    ("Confidence", "Of all transactions that hold the itemset, the share that belongs to the class."),
    ("Lift", "Confidence divided by the class’s share of all transactions: 1 is what chance would give."),
    (
        "Contrast",
        "Photos that the model calls something else, explained for this class all the same. They show which units are "
        "among the strongest of any photo that is explained for the class, only because the class weighs them heavily.",
    ),
    (
        "Contrast support",
        "The share of a class’s contrast patches that hold the itemset. For a class-shared itemset, photos of the "
        "classes that share it do not count.",
    ),
    (
        "Contrast lift",
        "Support divided by contrast support: 1 means that other photos, explained for the class, hold the itemset "
        "just as often. For a class-shared itemset, the smallest of its classes’ values.",
    ),
    (
        "q-value",
        "The share of false rules to expect among all rules at least this strong (Fisher’s exact test of the class’s "
        "own photos against its contrast photos, corrected by Benjamini and Hochberg’s method). For a class-shared "
        "itemset, the largest of its classes’ values.",
    ),
    ("Ablate", "To set units to zero in the layer’s output and let the model answer again."),
    (
        "Held-out photos",
        "Photos that were not mined: a fifth of each class of a labelled folder, which a run sets aside, or others "
        "that are given to an evaluation. What is measured on mined photos flatters the units, because they were "
        "chosen there.",
    ),
    (
        "Right",
        "A photo is right if the model predicts its label. Of photos without labels, what the model says with all "
        "units active counts as right.",
    ),
    (
        "Costs",
        "By how many percentage points the share of right photos of a class falls when all units of an itemset are "
        "ablated. Beside it stand as many random units, and the other classes.",
    ),
    (
        "Supported",
        "In every class of the itemset, the q-value is at most 0.05 and the contrast lift 2 or more: the itemset "
        "depends on what the photos show, and not only on the classifier’s weights.",
    ),
    (
        "Mended, broken",
        "With a set of units ablated (set to zero): photos of A taken for B that become A, and right answers that "
        "become wrong. Counted on held-out photos, where there are some.",
    ),
    (
        "p by shuffling",
        "A permutation test: the own and the contrast photos of each class are shuffled 200 times, and the rule is "
        "compared with the strongest rule of each shuffling (Westfall and Young’s method).",
    ),
    (
        "Resamples",
        "100 sets of photos, each drawn with repetition from the study’s own. Stable: in what share of them the "
        "itemset is frequent and of the same kind; frequent: in what share it is frequent in this class.",
    ),
    (
        "Redundant",
        "A rule is redundant if a smaller listed one, of some of its units, has at least its confidence in the class.",
    ),
    (
        "95 % interval",
        "The precision of a share, given the number of photos: of such intervals, 95 in 100 hold the true share "
        "(Wilson’s interval).",
    ),
    (
        "Map of the units",
        "Units lie near each other that are found with the same units in the transactions: for each unit the share of "
        "its patches that hold each other one, compared by the cosine, and laid out by t-SNE. Trustworthiness says how "
        "far neighbours on the map are neighbours by these shares: 1 where all are, about 0.5 with places drawn "
        "at random.",
    ),
    (
        "Near-duplicates",
        "Itemsets that nearly the same patches hold: of the patches that hold one of two, at least 70 % hold both "
        "(Jaccard similarity). Lists fold them into the row of the one that comes first.",
    ),
    ("Class-specific", "Frequent in one class only."),
    ("Class-shared", "Frequent in two classes or more, written 34,193 → Bird, Dog."),
    (
        "Closed, maximal",
        "An itemset is closed if no larger one is in just as many patches, and maximal if no larger one is frequent.",
    ),
)

REFERENCES = (
    "R. R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh, D. Batra: Grad-CAM: Visual Explanations from Deep "
    "Networks via Gradient-based Localization. International Journal of Computer Vision, 2019.",
    "M. J. Zaki, S. Parthasarathy, M. Ogihara, W. Li: New Algorithms for Fast Discovery of Association Rules. KDD, "
    "1997.",
    "J. Oramas M., K. Wang, T. Tuytelaars: Visual Explanation by Interpretation: Improving Visual Feedback "
    "Capabilities "
    "of Deep Neural Networks. ICLR, 2019.",
    "P. H. Westfall, S. S. Young: Resampling-Based Multiple Testing. Wiley, 1993.",
    "E. B. Wilson: Probable Inference, the Law of Succession, and Statistical Inference. Journal of the American "
    "Statistical Association, 1927.",
    "L. van der Maaten, G. Hinton: Visualizing Data using t-SNE. Journal of Machine Learning Research, 2008.",
    "D. Xin, J. Han, X. Yan, H. Cheng: Mining Compressed Frequent-Pattern Sets. VLDB, 2005.",
    "J. Venna, S. Kaski: Neighborhood Preservation in Nonlinear Projection Methods. ICANN, 2001.",
    "Y. Benjamini, Y. Hochberg: Controlling the False Discovery Rate. Journal of the Royal Statistical Society B, "
    "1995.",
)

RELEASED = 2026
"""Year of the release, as CITATION.cff says it."""


def citation() -> str:
    """The entry for a list of references, as BibTeX."""
    return (
        "@software{unitscope,\n  title = {Unitscope: class-specific and class-shared units of image classifiers},\n"
        f"  year = {{{RELEASED}}},\n  note = {{Frequent itemsets of units, mined from Grad-CAM patches}}\n}}"
    )
